-- How many clans are there?
SELECT COUNT(*) AS total
FROM clans c
