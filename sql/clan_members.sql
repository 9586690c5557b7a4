-- Which players are in a clan?
SELECT
    u.id,
    u.name,
    u.country,
    CASE u.clan_priv WHEN 3 THEN 'Owner' WHEN 2 THEN 'Officer' ELSE 'Member' END AS `rank`
FROM users u
WHERE u.clan_id = :id
    AND (u.priv & :visible) = :visible
ORDER BY u.id
LIMIT :limit
