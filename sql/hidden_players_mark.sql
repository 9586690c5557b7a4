-- How many players are hidden, and what are the sums of their ids and of the squares of these? If one becomes hidden, or
-- visible, at least one of the three is another. An index has all that is read, in a fraction of a millisecond.
SELECT
    COUNT(*) AS total,
    COALESCE(SUM(u.id), 0) AS ids,
    COALESCE(SUM(u.id % 65521 * (u.id % 65521)), 0) AS squares
FROM (
    SELECT DISTINCT v.priv
    FROM users v
) p
STRAIGHT_JOIN users u ON u.priv <=> p.priv
WHERE p.priv IS NULL OR (p.priv & 3) <> 3
