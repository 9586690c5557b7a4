-- How many scores in each run of a thousand ids belong to players who are hidden or deleted? {filters} are left out if
-- there are none: an index on the players' ids is enough then, and no row of `scores` is read.
SELECT
    s.id - s.id % 1000 AS first,
    MAX(s.id) AS last,
    COUNT(*) AS total
FROM (
    SELECT u.id
    FROM users u
    WHERE COALESCE((u.priv & :visible) <> :visible, 1)
    UNION ALL
    SELECT d.userid
    FROM (SELECT DISTINCT e.userid FROM scores e) d
    LEFT JOIN users g ON g.id = d.userid
    WHERE g.id IS NULL
) p
STRAIGHT_JOIN scores s ON s.userid = p.id
{filters}
GROUP BY s.id - s.id % 1000
