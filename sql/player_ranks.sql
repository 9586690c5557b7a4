-- Which rank does a player have in each mode, in the world and in the country? As in the sorted sets of Redis, ranks
-- are by pp, and of players with the same pp, the one whose id is greater as text comes first.
SELECT
    s.mode,
    (
        SELECT COUNT(*)
        FROM stats o
        INNER JOIN users p ON p.id = o.id
        WHERE o.mode = s.mode
            AND (o.pp > s.pp OR (o.pp = s.pp AND CAST(o.id AS CHAR) >= CAST(s.id AS CHAR)))
            AND (p.priv & 1) = 1
    ) AS world,
    (
        SELECT COUNT(*)
        FROM stats o
        INNER JOIN users p ON p.id = o.id
        WHERE o.mode = s.mode
            AND (o.pp > s.pp OR (o.pp = s.pp AND CAST(o.id AS CHAR) >= CAST(s.id AS CHAR)))
            AND (p.priv & 1) = 1
            AND p.country = u.country
    ) AS country
FROM stats s
INNER JOIN users u ON u.id = s.id
WHERE s.id = :id
    AND s.pp > 0
ORDER BY s.mode, s.pp
LIMIT 100
