-- Which scores come after an id, and did they pass?
SELECT
    s.id,
    s.status
FROM scores s
WHERE s.id > :after
ORDER BY s.id
LIMIT :limit
