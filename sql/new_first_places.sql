-- Which of the scores with these ids are the first on the leaderboard of their ranked or approved beatmap, by {sort}?
SELECT
    s.id
FROM scores s
STRAIGHT_JOIN maps m ON m.md5 = s.map_md5
WHERE s.id IN (:ids)
    AND s.status = 2
    AND m.status IN (2, 3)
    AND NOT EXISTS (
        SELECT o.id
        FROM scores o
        STRAIGHT_JOIN users v ON v.id = o.userid
        WHERE o.map_md5 = s.map_md5
            AND o.mode = s.mode
            AND o.status = 2
            AND o.{sort} >= s.{sort}
            AND (o.{sort} > s.{sort} OR o.id < s.id)
            AND (v.priv & :visible) = :visible
    )
ORDER BY s.id
LIMIT :limit
