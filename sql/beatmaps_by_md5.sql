-- Which beatmaps have these md5s? Only the columns that lists show.
SELECT
    m.md5,
    m.id,
    m.set_id,
    m.artist,
    m.title,
    m.version,
    m.creator,
    m.last_update,
    m.total_length,
    m.max_combo,
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
WHERE m.md5 IN (:md5s)
