-- What are the names of the players after this one, in the order of their ids?
SELECT
    u.id,
    u.name
FROM users u
WHERE u.id > :after
ORDER BY u.id
LIMIT :limit
