-- Which beatmaps has a player played most in a mode, failed plays included? An index alone gives their ids, and only
-- those of the page are read whole.
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
        n.id,
        c.plays
    FROM (
        SELECT
            s.map_md5,
            COUNT(*) AS plays
        FROM scores s
        WHERE s.userid = :id
            AND s.mode + 0 = :mode
        GROUP BY s.map_md5
    ) c
    INNER JOIN maps n ON n.md5 = c.map_md5
    ORDER BY c.plays DESC, n.id
    LIMIT :limit OFFSET :offset
) p
INNER JOIN maps m ON m.id = p.id
ORDER BY p.plays DESC, m.id
