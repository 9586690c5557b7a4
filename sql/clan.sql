-- Which clan has an id, and who owns it, if that player can be seen?
SELECT
    c.id,
    c.name,
    c.tag,
    o.id AS owner__id,
    o.name AS owner__name,
    o.country AS owner__country,
    CASE WHEN o.id IS NOT NULL THEN 'Owner' END AS owner__rank
FROM clans c
LEFT JOIN users o ON o.id = c.owner AND (o.priv & :visible) = :visible
WHERE c.id = :id
LIMIT 1
