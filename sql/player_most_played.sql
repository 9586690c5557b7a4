-- Which beatmaps has a player played most in a mode, failed plays included? Indexes alone give their ids, and only
-- those of the page are read whole. `+ 0`: MySQL would choose an index with the mode but without the beatmaps.
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
        c.map_md5,
        c.id,
        c.plays
    FROM (
        SELECT
            s.map_md5,
            (SELECT MIN(n.id) FROM maps n WHERE n.md5 = s.map_md5) AS id,
            COUNT(*) AS plays
        FROM scores s
        WHERE s.userid = :id
            AND s.mode + 0 = :mode
        GROUP BY s.map_md5
    ) c
    WHERE c.id IS NOT NULL
    ORDER BY c.plays DESC, c.id
    LIMIT :limit OFFSET :offset
) p
INNER JOIN maps m ON m.id = p.id AND m.md5 = p.map_md5
ORDER BY p.plays DESC, m.id
