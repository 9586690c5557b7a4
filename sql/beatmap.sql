-- Which beatmap has this id, or this md5? Without the unique keys there may be several: the first one.
SELECT
    m.md5,
    m.id,
    m.server,
    m.set_id,
    m.artist,
    m.title,
    m.version,
    m.creator,
    m.filename,
    m.last_update,
    m.total_length,
    m.max_combo,
    m.frozen,
    m.status,
    m.plays,
    m.passes,
    m.mode,
    m.bpm,
    m.cs,
    m.od,
    m.ar,
    m.hp,
    m.diff
FROM maps m
WHERE m.id = COALESCE(:id, (SELECT MIN(n.id) FROM maps n WHERE n.md5 = :md5))
    AND (:id IS NOT NULL OR m.md5 = :md5)
ORDER BY m.server
LIMIT 1
