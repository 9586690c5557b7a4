-- How many players are hidden, and what are the sums of their ids and of the ids shifted by their last bits? If players
-- become hidden or visible, these are other numbers. An index has all that is read, in a fraction of a millisecond.
SELECT
    COUNT(*) AS total,
    COALESCE(SUM(u.id), 0) AS ids,
    COALESCE(SUM(u.id << (u.id & 15)), 0) AS shifted
FROM (
    SELECT DISTINCT v.priv
    FROM users v
) p
STRAIGHT_JOIN users u ON u.priv <=> p.priv
WHERE p.priv IS NULL OR (p.priv & 3) <> 3
