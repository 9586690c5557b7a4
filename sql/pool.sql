-- Which map pool has this id, and who created it? There is no creator if that player is hidden.
SELECT
    p.id,
    p.name,
    p.created_at,
    u.id AS created_by__id,
    u.name AS created_by__name,
    u.country AS created_by__country,
    c.id AS created_by__clan__id,
    c.name AS created_by__clan__name,
    c.tag AS created_by__clan__tag,
    CASE WHEN c.id IS NOT NULL THEN (
        SELECT COUNT(*) FROM users f WHERE f.clan_id = c.id AND (f.priv & :visible) = :visible
    ) END AS created_by__clan__members
FROM tourney_pools p
LEFT JOIN users u ON u.id = p.created_by AND (u.priv & :visible) = :visible
LEFT JOIN clans c ON c.id = u.clan_id
WHERE p.id = :id
LIMIT 1
