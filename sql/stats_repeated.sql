-- Which player has more than one row of statistics in a mode?
SELECT
    s.id,
    s.mode
FROM stats s
GROUP BY s.id, s.mode
HAVING COUNT(*) > 1
ORDER BY s.id, s.mode
LIMIT 1
