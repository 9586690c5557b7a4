-- Who leads a mode, in the world or in a country, sorted by {sort}? Players with less than `least` are left out. A
-- FLOAT is read with six digits, so its `least` may be somewhat more than what is stored.
SELECT
    s.id AS player_id
FROM stats s
INNER JOIN users u ON u.id = s.id
WHERE s.mode = :mode
    AND s.{sort} > 0
    AND s.{sort} >= :least / 1.00001
    AND (u.priv & :visible) = :visible
    AND (:country IS NULL OR u.country = :country)
ORDER BY s.{sort} DESC, s.id
LIMIT :limit OFFSET :offset
