-- Which scores has a player pinned in a mode? Only forks have the column: without an alias, it does not count among those
-- that must be there.
SELECT
    s.id,
    s.map_md5,
    s.userid,
    (SELECT u.name FROM users u WHERE u.id = s.userid) AS player_name,
    s.score,
    s.pp,
    s.acc,
    s.max_combo,
    s.mods,
    s.n300,
    s.n100,
    s.n50,
    s.nmiss,
    s.ngeki,
    s.nkatu,
    s.grade,
    s.status,
    s.mode,
    s.play_time,
    s.time_elapsed,
    s.perfect,
    s.map_md5 AS beatmap,
    pinned
FROM scores s
WHERE s.userid = :id
    AND s.mode = :mode
    AND pinned = 1
    AND (SELECT COUNT(*) FROM maps m WHERE m.md5 = s.map_md5) > 0
    AND (
        (COALESCE(s.mods, 0) & :mask) = :mask
        OR (:weak = 1 AND (s.mods & :mask) <> 0)
    )
ORDER BY s.pp DESC, s.id DESC
LIMIT :limit OFFSET :offset
