-- How many players are hidden, and what are the sums of their ids and of the ids shifted by their last bits?
SELECT
    COUNT(*) AS total,
    COALESCE(SUM(u.id), 0) AS ids,
    COALESCE(SUM(u.id << (u.id & 15)), 0) AS shifted
FROM users u
WHERE u.priv IS NULL OR (u.priv & 3) <> 3
