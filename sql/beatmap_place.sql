-- How many scores are on the board of a beatmap, sorted by {sort}, how many of them are ahead of a score, and is that
-- score among them?
SELECT
    COUNT(*) AS total,
    COALESCE(SUM(s.{sort} > b.{sort} OR (s.{sort} = b.{sort} AND s.id < b.id)), 0) AS ahead,
    COALESCE(SUM(s.id = b.id), 0) AS listed
FROM scores s
STRAIGHT_JOIN users u ON u.id = s.userid
LEFT JOIN scores b ON b.id = :score_id
WHERE s.map_md5 = :md5
    AND s.mode = :mode
    AND s.status = 2
    AND (u.priv & :visible) = :visible
    AND (
        (COALESCE(s.mods, 0) & :mask) = :mask
        OR (:weak = 1 AND (s.mods & :mask) <> 0)
    )
