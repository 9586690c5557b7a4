-- Which best scores in a mode, on beatmaps that award pp, have the most pp?
SELECT
    s.id
FROM scores s
STRAIGHT_JOIN users u ON u.id = s.userid
WHERE s.mode = :mode
    AND s.status = 2
    AND (u.priv & :visible) = :visible
    AND (SELECT COUNT(*) FROM maps m WHERE m.md5 = s.map_md5 AND m.status IN (2, 3)) > 0
ORDER BY s.pp DESC, s.id DESC
LIMIT :limit
