-- Which clans exist?
SELECT
    c.id,
    c.name,
    c.tag,
    c.owner,
    c.created_at
FROM clans c
ORDER BY c.id
LIMIT :limit OFFSET :offset
