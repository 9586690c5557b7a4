-- Which of a player's scores in a mode are ahead on the board of their beatmap, sorted by {sort}? They are compared with
-- the first score of each board, which comes first in an index: MySQL finds it there only if ORDER BY names all columns of
-- the index, also those that have one value here.
SELECT
    s.id,
    s.mods
FROM scores s
WHERE s.userid = :id
    AND s.mode = :mode
    AND s.status = 2
    AND (
        SELECT COUNT(*)
        FROM maps m
        WHERE m.md5 = s.map_md5
            AND (m.status IN (2, 3) OR (m.status = 5 AND :include_loved = 1))
    ) > 0
    AND s.id = (
        SELECT o.id
        FROM scores o
        STRAIGHT_JOIN users u ON u.id = o.userid
        WHERE o.map_md5 = s.map_md5
            AND o.mode = :mode
            AND o.status = 2
            AND (u.priv & :visible) = :visible
        ORDER BY o.map_md5, o.status, o.mode, o.{sort} DESC, o.id
        LIMIT 1
    )
ORDER BY s.play_time DESC, s.id DESC
LIMIT 100000
