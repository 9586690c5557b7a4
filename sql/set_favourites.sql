-- How many players have each of these beatmap sets among their favourites?
SELECT
    f.setid AS set_id,
    COUNT(*) AS total
FROM favourites f
STRAIGHT_JOIN users u ON u.id = f.userid
WHERE f.setid IN (:set_ids)
    AND (u.priv & :visible) = :visible
GROUP BY f.setid
LIMIT 100
