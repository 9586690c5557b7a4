-- Which score has an id?
SELECT
    s.id,
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
    s.map_md5,
    s.client_flags,
    s.online_checksum
FROM scores s
INNER JOIN users u ON u.id = s.userid
WHERE s.id = :id
    AND (u.priv & :visible) = :visible
LIMIT 1
