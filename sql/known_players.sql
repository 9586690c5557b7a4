-- Who are the players with these ids?
SELECT
    u.id,
    u.name,
    u.priv
FROM users u
WHERE u.id IN (:ids)
