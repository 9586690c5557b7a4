-- Which beatmaps are in a map pool?
SELECT
    p.mods,
    p.slot,
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
    m.diff AS beatmap__diff
FROM tourney_pool_maps p
INNER JOIN maps m ON m.id = p.map_id
WHERE p.pool_id = :id
ORDER BY p.mods, p.slot, p.map_id
LIMIT :limit
