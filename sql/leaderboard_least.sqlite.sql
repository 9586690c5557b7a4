-- How much, by {sort}, has the last player of so many who lead a mode in the world?
-- In this order of tables the rows come sorted from an index, and those after the last are not read.
SELECT
    s.{sort} AS least
FROM stats s
CROSS JOIN users u ON u.id = s.id
WHERE s.mode = :mode
    AND s.{sort} > 0
    AND (u.priv & :visible) = :visible
ORDER BY s.{sort} DESC
LIMIT 1 OFFSET :last
