-- Which of these scores are still the best ones of visible players on their beatmaps? In no order.
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
INNER JOIN users u ON u.id = s.userid
WHERE s.id IN (:ids)
    AND s.status = 2
    AND (u.priv & :visible) = :visible
LIMIT 100
