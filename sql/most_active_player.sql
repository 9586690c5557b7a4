-- Which player has played most in a mode, and in which one?
SELECT
    s.id,
    s.mode
FROM stats s
ORDER BY s.plays DESC, s.id
LIMIT 1
