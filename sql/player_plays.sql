-- How often has a player played in each month, and how often passed? Rows without a date are in none.
SELECT
    DATE_FORMAT(s.play_time, '%Y-%m') AS month,
    COUNT(*) AS plays,
    COUNT(CASE WHEN s.status <> 0 THEN 1 END) AS passes
FROM scores s
WHERE s.userid = :id
    AND s.mode = :mode
GROUP BY month
HAVING month > '0001'
ORDER BY month
LIMIT 1000
