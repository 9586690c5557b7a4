-- What is known about the player with this id, or this name in its safe form? Or about the players with these ids?
SELECT
    u.id,
    u.name,
    u.safe_name,
    u.priv,
    u.country,
    u.silence_end,
    u.donor_end,
    u.creation_time,
    u.latest_activity,
    u.clan_id,
    u.clan_priv,
    u.preferred_mode,
    u.play_style,
    u.custom_badge_name,
    u.custom_badge_icon,
    u.userpage_content,
    c.id AS clan__id,
    c.name AS clan__name,
    c.tag AS clan__tag
FROM users u
LEFT JOIN clans c ON c.id = u.clan_id
WHERE {rows}
    AND (u.priv & :visible) = :visible
LIMIT {most}
