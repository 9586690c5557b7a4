-- Which players after this one are hidden? An index finds the few values of `priv`, and then the players by it.
SELECT u.id
FROM (
    SELECT DISTINCT v.priv
    FROM users v
) p
STRAIGHT_JOIN users u ON u.priv <=> p.priv
WHERE (p.priv IS NULL OR (p.priv & 3) <> 3)
    AND u.id > :after
ORDER BY u.id
LIMIT :limit
