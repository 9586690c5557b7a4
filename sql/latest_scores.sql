-- What are the latest scores on known beatmaps, of a mode or of all? With the tables in this order, they come sorted
-- from the primary key, or from the index of the mode.
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
    s.map_md5 AS beatmap,
    u.country AS player_country
FROM scores s
STRAIGHT_JOIN users u ON u.id = s.userid
WHERE (u.priv & :visible) = :visible
    {mode}
    AND (COALESCE(s.status, 0) <> 0 OR :include_failed = 1)
    AND (SELECT COUNT(*) FROM maps m WHERE m.md5 = s.map_md5) > 0
ORDER BY s.id DESC
LIMIT :limit
