-- What are the names of these players, and does each of them contain this text?
SELECT
    u.name,
    u.name LIKE :pattern ESCAPE '!' AS matches
FROM users u
WHERE u.id IN (:ids)
