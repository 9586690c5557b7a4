-- Which md5 has the beatmap with this id, or this md5? As in beatmap.sql, which returns all of it and takes twice as long.
SELECT
    m.id,
    m.md5
FROM maps m
WHERE m.id = COALESCE(:id, (SELECT MIN(n.id) FROM maps n WHERE n.md5 = :md5))
    AND (:id IS NOT NULL OR m.md5 = :md5)
ORDER BY m.server
LIMIT 1
