-- Who are a player's friends? The bot is everybody's friend if `with_bot` is 1.
SELECT
    u.id,
    u.name,
    u.safe_name,
    u.country,
    u.clan_id,
    u.latest_activity
FROM relationships r
INNER JOIN users u ON u.id = r.user2
WHERE r.user1 = :id
    AND r.type = 'friend'
    AND (u.priv & :visible) = :visible
    AND u.id <> 1
UNION
SELECT
    b.id,
    b.name,
    b.safe_name,
    b.country,
    b.clan_id,
    b.latest_activity
FROM users b
WHERE b.id = 1
    AND :with_bot = 1
ORDER BY id
LIMIT :limit OFFSET :offset
