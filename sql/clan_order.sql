-- By what are clans sorted in a mode? Of the members, only those who are visible count, and for the accuracy only those
-- who have played.
SELECT
    c.id,
    CAST(SUM(s.pp) AS SIGNED) AS pp,
    CAST(SUM(s.rscore) AS SIGNED) AS rscore,
    ROUND(AVG(CASE WHEN s.plays > 0 THEN s.acc END), 3) AS acc,
    CAST(SUM(s.plays) AS SIGNED) AS plays
FROM clans c
INNER JOIN users u ON u.clan_id = c.id
INNER JOIN stats s ON s.id = u.id
WHERE (u.priv & :visible) = :visible
    AND s.mode = :mode
GROUP BY c.id
ORDER BY c.id
LIMIT 100000
