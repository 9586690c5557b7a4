-- Which md5 does the file of each of these beatmaps have?
SELECT
    m.id,
    m.md5
FROM maps m
WHERE m.id IN (:ids)
ORDER BY m.server DESC
LIMIT 100
