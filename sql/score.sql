-- Which score has this id (or which scores have one of these), and what are its player and its beatmap?
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
    m.md5 AS beatmap__md5,
    m.id AS beatmap__id,
    m.set_id AS beatmap__set_id,
    m.artist AS beatmap__artist,
    m.title AS beatmap__title,
    m.version AS beatmap__version,
    m.creator AS beatmap__creator,
    m.last_update AS beatmap__last_update,
    m.total_length AS beatmap__total_length,
    m.max_combo AS beatmap__max_combo,
    m.status AS beatmap__status,
    m.plays AS beatmap__plays,
    m.passes AS beatmap__passes,
    m.mode AS beatmap__mode,
    m.bpm AS beatmap__bpm,
    m.cs AS beatmap__cs,
    m.od AS beatmap__od,
    m.ar AS beatmap__ar,
    m.hp AS beatmap__hp,
    m.diff AS beatmap__diff,
    s.client_flags,
    s.online_checksum
FROM scores s
INNER JOIN users u ON u.id = s.userid
LEFT JOIN clans c ON c.id = u.clan_id
LEFT JOIN maps m ON m.md5 = s.map_md5
WHERE {rows}
    AND (u.priv & :visible) = :visible
ORDER BY s.id, m.id
LIMIT {most}
