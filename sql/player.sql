-- Which player has this id, or this name in its safe form?
SELECT
    u.id,
    u.name,
    u.latest_activity,
    c.id AS clan__id,
    c.name AS clan__name,
    c.tag AS clan__tag
FROM users u
LEFT JOIN clans c ON c.id = u.clan_id
WHERE u.id = COALESCE(
        :id,
        (SELECT MIN(n.id) FROM users n WHERE n.safe_name = :safe_name AND (n.priv & :visible) = :visible)
    )
    AND (u.priv & :visible) = :visible
LIMIT 1
