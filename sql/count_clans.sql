-- How many clans exist?
SELECT COUNT(*) AS total
FROM clans c
