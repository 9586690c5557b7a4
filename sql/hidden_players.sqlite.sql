-- Which players after this one are hidden?
SELECT u.id
FROM users u
WHERE (u.priv IS NULL OR (u.priv & 3) <> 3)
    AND u.id > :after
ORDER BY u.id
LIMIT :limit
