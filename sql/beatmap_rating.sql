-- How is a beatmap rated on average, and by how many players?
SELECT
    AVG(r.rating + 0e0) AS average,
    COUNT(DISTINCT r.userid) AS count
FROM ratings r
STRAIGHT_JOIN users u ON u.id = r.userid
WHERE r.map_md5 = :md5
    AND r.rating IS NOT NULL
    AND (u.priv & :visible) = :visible
