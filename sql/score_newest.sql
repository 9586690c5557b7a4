-- What is the highest id of a score?
SELECT
    s.id
FROM scores s
ORDER BY s.id DESC
LIMIT 1
