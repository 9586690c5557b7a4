-- What are a player's best scores in a mode, one per beatmap, on beatmaps that award pp? A count of beatmaps, unlike
-- IN, does not let the server begin with them.
SELECT
    s.id,
    s.map_md5,
    s.userid,
    u.name AS player_name,
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
    s.map_md5 AS beatmap
FROM scores s
INNER JOIN users u ON u.id = s.userid
WHERE s.userid = :id
    AND s.mode = :mode
    AND s.status = 2
    AND (
        SELECT COUNT(*)
        FROM maps m
        WHERE m.md5 = s.map_md5
            AND (m.status IN (2, 3) OR (m.status = 5 AND :include_loved = 1))
    ) > 0
    AND (
        (COALESCE(s.mods, 0) & :mask) = :mask
        OR (:weak = 1 AND (s.mods & :mask) <> 0)
    )
ORDER BY s.pp DESC, s.id DESC
LIMIT :limit OFFSET :offset
