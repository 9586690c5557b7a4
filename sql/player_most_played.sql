-- Which beatmaps has a player played most in a mode, failed plays counted too?
SELECT
    m.md5,
    m.id,
    m.set_id,
    m.status,
    m.artist,
    m.title,
    m.version,
    m.creator,
    p.plays
FROM (
    SELECT
        s.map_md5,
        COUNT(*) AS plays
    FROM scores s
    WHERE s.userid = :id
        AND s.mode = :mode
    GROUP BY s.map_md5
) p
INNER JOIN maps m ON m.md5 = p.map_md5
ORDER BY p.plays DESC, m.id
LIMIT :limit OFFSET :offset
