-- Which of these players, hidden or not, have a name that contains this text?
SELECT u.id
FROM users u
WHERE u.id IN (:ids)
    AND u.name LIKE :pattern ESCAPE '!'
