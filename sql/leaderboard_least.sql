-- Which {sort} does the player at position `last` of a mode have, counted from 0?
-- With the tables in this order, rows come sorted from an index, and those after that player are not read.
SELECT
    s.{sort} AS least
FROM stats s
STRAIGHT_JOIN users u ON u.id = s.id
WHERE s.mode = :mode
    AND s.{sort} > 0
    AND (u.priv & :visible) = :visible
ORDER BY s.{sort} DESC
LIMIT 1 OFFSET :last
