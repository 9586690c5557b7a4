-- Which beatmaps are in this set? By ruleset, the easiest one first.
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
WHERE m.set_id = :set_id
ORDER BY m.mode, m.diff, m.id
LIMIT 500
