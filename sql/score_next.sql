-- What is the lowest id of a score from `first` on?
SELECT
    s.id
FROM scores s
WHERE s.id >= :first
ORDER BY s.id
LIMIT 1
