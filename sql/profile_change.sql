-- Which fields of a profile change? Those whose `set_` value is 1.
UPDATE users
SET
    userpage_content = CASE WHEN :set_userpage_content = 1 THEN :userpage_content ELSE userpage_content END,
    preferred_mode = CASE WHEN :set_preferred_mode = 1 THEN :preferred_mode ELSE preferred_mode END,
    play_style = CASE WHEN :set_play_style = 1 THEN :play_style ELSE play_style END,
    custom_badge_name = CASE WHEN :set_custom_badge_name = 1 THEN :custom_badge_name ELSE custom_badge_name END,
    custom_badge_icon = CASE WHEN :set_custom_badge_icon = 1 THEN :custom_badge_icon ELSE custom_badge_icon END
WHERE id = :id
