-- Which scores have this id or a higher one, and did they pass?
SELECT
    s.id,
    s.status
FROM scores s
WHERE s.id >= :first
ORDER BY s.id
LIMIT :limit
