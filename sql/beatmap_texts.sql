-- What can the beatmaps after this one be found by, and sorted by? In the order of their ids.
SELECT
    m.id,
    m.server,
    m.set_id,
    m.artist,
    m.title,
    m.version,
    m.creator,
    m.status,
    m.mode,
    m.frozen,
    m.last_update,
    m.plays,
    m.passes,
    m.diff,
    m.bpm,
    m.total_length
FROM maps m
WHERE m.id > :after
ORDER BY m.id
LIMIT :limit
