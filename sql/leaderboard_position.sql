-- How many players are on the leaderboard of a mode down to a player, and is that player among them, sorted by {sort}?
-- With the tables in this order, an index finds those ahead, and only their rows in `users` are read. `listed` is more
-- than 1 if the primary key is missing and the player has several rows.
SELECT
    COUNT({counted}) AS total,
    COALESCE(SUM(s.id = p.id), 0) AS listed
FROM stats p
STRAIGHT_JOIN stats s ON s.mode = p.mode AND s.{sort} >= p.{sort}
STRAIGHT_JOIN users u ON u.id = s.id
WHERE p.id = :id
    AND p.mode = :mode
    AND p.{sort} > 0
    AND (s.{sort} > p.{sort} OR s.id <= p.id)
    AND (u.priv & :visible) = :visible
    AND (:country IS NULL OR u.country = :country)
    {best}
