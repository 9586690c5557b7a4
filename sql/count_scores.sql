-- How many scores of a player, or on a beatmap, match these filters?
SELECT COUNT(*) AS total
FROM scores s
INNER JOIN users u ON u.id = s.userid
WHERE (u.priv & :visible) = :visible
    AND (:map_md5 IS NULL OR s.map_md5 = :map_md5)
    AND (:mods IS NULL OR s.mods = :mods)
    AND (:status IS NULL OR s.status = :status)
    AND (:mode IS NULL OR s.mode = :mode)
    AND (:user_id IS NULL OR s.userid = :user_id)
