-- Which beatmaps have one of these ids, or one of these md5s?
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
WHERE m.id IN (:ids)
    OR m.md5 IN (:md5s)
ORDER BY m.id
LIMIT 1000
