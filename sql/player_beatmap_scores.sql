-- Which passed scores does a player have on a beatmap in a mode: the best one, and those with the highest {sort}?
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
    s.perfect
FROM scores s
INNER JOIN users u ON u.id = s.userid
WHERE s.userid = :id
    AND s.map_md5 = :md5
    AND s.mode = :mode
    AND s.status <> 0
    AND (
        (COALESCE(s.mods, 0) & :mask) = :mask
        OR (:weak = 1 AND (s.mods & :mask) <> 0)
    )
ORDER BY s.status = 2 DESC, s.{sort} DESC, s.id
LIMIT 100
