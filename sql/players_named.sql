-- Which of these players have a name that contains this text?
SELECT
    u.id,
    u.name
FROM users u
WHERE u.id IN (:ids)
    AND (u.priv & 3) = 3
    AND u.name LIKE :pattern ESCAPE '!'
ORDER BY u.id
LIMIT :limit
