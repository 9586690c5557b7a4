-- How often has a player played in each month, and how often passed? Rows without a date are in none.
SELECT
    strftime('%Y-%m', s.play_time) AS month,
    COUNT(*) AS plays,
    COUNT(CASE WHEN s.status <> 0 THEN 1 END) AS passes
FROM scores s
WHERE s.userid = :id
    AND s.mode = :mode
GROUP BY month
HAVING month > '0001'
ORDER BY month
LIMIT 1000
