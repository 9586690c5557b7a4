-- Which players match these filters? The offset is skipped by key, and only the rows of the page are read whole.
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
FROM (
    SELECT f.id
    FROM users f
    WHERE (f.priv & :visible) = :visible
        AND f.id > COALESCE(:after, -1)
        AND (:priv IS NULL OR f.priv = :priv)
        AND (:country IS NULL OR f.country = :country)
        AND (:clan_id IS NULL OR f.clan_id = :clan_id)
        AND (:clan_priv IS NULL OR f.clan_priv = :clan_priv)
        AND (:preferred_mode IS NULL OR f.preferred_mode = :preferred_mode)
        AND (:play_style IS NULL OR f.play_style = :play_style)
    ORDER BY f.id
    LIMIT :limit OFFSET :offset
) p
INNER JOIN users u ON u.id = p.id
LEFT JOIN clans c ON c.id = u.clan_id
ORDER BY u.id
