-- How is each of these beatmaps rated on average?
SELECT
    r.map_md5,
    AVG(r.rating + 0e0) AS average
FROM ratings r
STRAIGHT_JOIN users u ON u.id = r.userid
WHERE r.map_md5 IN (:md5s)
    AND r.rating IS NOT NULL
    AND (u.priv & :visible) = :visible
GROUP BY r.map_md5
LIMIT 500
