-- Which players have a name that contains this text?
SELECT
    u.id,
    u.name
FROM users u
WHERE (u.priv & 3) = 3
    AND (:pattern IS NULL OR u.name LIKE :pattern ESCAPE '!')
ORDER BY u.id
LIMIT :limit OFFSET :offset
