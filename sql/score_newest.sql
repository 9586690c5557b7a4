-- What is the highest id of a score?
SELECT
    COALESCE(MAX(s.id), 0) AS id
FROM scores s
