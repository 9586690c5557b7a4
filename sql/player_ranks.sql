-- Which rank does this player have in each of these modes, in the world and in the country? As in the sorted sets of
-- Redis, ranks are by pp, and of players with the same pp, the one whose id is greater as text comes first. With the
-- tables in this order, an index finds those ahead, and only their rows in `users` are read.
SELECT
    s.mode,
    COUNT(p.id) AS world,
    COUNT(CASE WHEN p.country = u.country THEN p.id END) AS country
FROM users u
STRAIGHT_JOIN stats s ON s.id = u.id
STRAIGHT_JOIN stats o ON o.mode = s.mode AND o.pp >= s.pp
STRAIGHT_JOIN users p ON p.id = o.id
WHERE u.id = :id
    AND s.mode IN (:modes)
    AND s.pp > 0
    AND (o.pp > s.pp OR CAST(o.id AS CHAR) >= CAST(s.id AS CHAR))
    AND (p.priv & 1) = 1
GROUP BY s.id, s.mode, s.pp
ORDER BY s.id, s.mode, s.pp
LIMIT 1000
