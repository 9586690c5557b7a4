-- How many players match these filters?
SELECT COUNT(*) AS total
FROM users u
WHERE (u.priv & :visible) = :visible
    AND (:priv IS NULL OR u.priv = :priv)
    AND (:country IS NULL OR u.country = :country)
    AND (:clan_id IS NULL OR u.clan_id = :clan_id)
    AND (:clan_priv IS NULL OR u.clan_priv = :clan_priv)
    AND (:preferred_mode IS NULL OR u.preferred_mode = :preferred_mode)
    AND (:play_style IS NULL OR u.play_style = :play_style)
