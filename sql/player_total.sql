-- How many players are registered, without the bot?
SELECT COUNT(*) AS total
FROM users u
WHERE u.id <> 1
