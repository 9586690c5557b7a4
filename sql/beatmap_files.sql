-- Which md5 have the files of some beatmaps?
SELECT
    m.id,
    m.md5
FROM maps m
WHERE m.id IN (:ids)
LIMIT 100
