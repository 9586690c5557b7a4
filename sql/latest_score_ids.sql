-- Which scores have the highest ids?
SELECT
    s.id
FROM scores s
ORDER BY s.id DESC
LIMIT :limit
