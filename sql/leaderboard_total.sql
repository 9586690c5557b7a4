-- How many players are on the leaderboard of a mode, in the world or in a country, sorted by {sort}?
SELECT COUNT(DISTINCT s.id) AS total
FROM stats s
INNER JOIN users u ON u.id = s.id
WHERE s.mode = :mode
    AND s.{sort} > 0
    AND (u.priv & :visible) = :visible
    AND (:country IS NULL OR u.country = :country)
