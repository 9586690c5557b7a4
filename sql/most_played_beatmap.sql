-- Which beatmap has been played most, and in which mode?
SELECT
    m.md5,
    m.mode
FROM maps m
ORDER BY m.plays DESC
LIMIT 1
