-- Who was first on the leaderboard of a beatmap in a mode, by {sort}, before the player set the score `id`? It is the
-- best of the other players or that player, whose previous best score by pp was on the leaderboard until then.
SELECT
    u.id,
    u.name
FROM scores s
STRAIGHT_JOIN users u ON u.id = s.userid
WHERE s.id IN (
    (
        SELECT o.id
        FROM scores o
        STRAIGHT_JOIN users v ON v.id = o.userid
        WHERE o.map_md5 = :map_md5
            AND o.mode = :mode
            AND o.status = 2
            AND o.id <> :id
            AND (v.priv & :visible) = :visible
        ORDER BY o.{sort} DESC, o.id
        LIMIT 1
    ),
    (
        SELECT p.id
        FROM scores p
        WHERE p.map_md5 = :map_md5
            AND p.mode = :mode
            AND p.status = 1
            AND p.userid = :player
            AND p.id < :id
        ORDER BY p.pp DESC, p.id
        LIMIT 1
    )
)
ORDER BY s.{sort} DESC, s.id
LIMIT 1
