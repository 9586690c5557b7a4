-- Which clan has this id, and who owns it? There is no owner if that player is hidden.
SELECT
    c.id,
    c.name,
    c.tag,
    COALESCE(o.id, 0) AS owner,
    c.created_at,
    o.id AS owner_member__id,
    o.name AS owner_member__name,
    o.country AS owner_member__country,
    CASE WHEN o.id IS NOT NULL THEN 'Owner' END AS owner_member__rank
FROM clans c
LEFT JOIN users o ON o.id = c.owner AND (o.priv & :visible) = :visible
WHERE c.id = :id
LIMIT 1
