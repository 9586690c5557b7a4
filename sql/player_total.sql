-- How many players are registered, the bot left out?
SELECT COUNT(*) AS total
FROM users u
WHERE u.id <> 1
