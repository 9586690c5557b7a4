-- Which of the scores with these ids are those of visible players? `beatmap` is the md5 of a beatmap.
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
    u.country AS player_country,
    c.id AS clan_id,
    c.name AS clan_name,
    c.tag AS clan_tag,
    s.map_md5 AS beatmap
FROM scores s
STRAIGHT_JOIN users u ON u.id = s.userid
LEFT JOIN clans c ON c.id = u.clan_id
WHERE s.id IN (:ids)
    AND (u.priv & :visible) = :visible
ORDER BY s.id
LIMIT :limit
