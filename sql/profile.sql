-- What is in the fields of a profile that its player may change?
SELECT
    u.userpage_content,
    u.preferred_mode,
    u.play_style,
    u.custom_badge_name,
    u.custom_badge_icon
FROM users u
WHERE u.id = :id
LIMIT 1
