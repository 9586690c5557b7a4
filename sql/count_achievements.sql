-- How many medals exist?
SELECT COUNT(*) AS total
FROM achievements a
