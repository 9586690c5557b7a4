-- Which clans exist, and who owns them? Owners who are hidden or gone are 0.
SELECT
    c.id,
    c.name,
    c.tag,
    COALESCE(o.id, 0) AS owner,
    c.created_at
FROM clans c
LEFT JOIN users o ON o.id = c.owner AND (o.priv & :visible) = :visible
ORDER BY c.id
LIMIT :limit OFFSET :offset
