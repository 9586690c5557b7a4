-- How many players are hidden, and what are the sums of their ids and of the squares of these?
SELECT
    COUNT(*) AS total,
    COALESCE(SUM(u.id), 0) AS ids,
    COALESCE(SUM(u.id % 65521 * (u.id % 65521)), 0) AS squares
FROM users u
WHERE u.priv IS NULL OR (u.priv & 3) <> 3
