-- Which players lead a mode, in the world or in a country, sorted by {sort}? None on the page has less than `least`:
-- the {slack} is for a number that is not exactly what it is written as.
SELECT
    s.id AS player_id,
    u.name,
    u.country,
    s.tscore,
    s.rscore,
    s.pp,
    s.plays,
    s.playtime,
    s.acc,
    s.max_combo,
    s.xh_count,
    s.x_count,
    s.sh_count,
    s.s_count,
    s.a_count,
    c.id AS clan_id,
    c.name AS clan_name,
    c.tag AS clan_tag
FROM stats s
INNER JOIN users u ON u.id = s.id
LEFT JOIN clans c ON c.id = u.clan_id
WHERE s.mode = :mode
    AND s.{sort} > 0
    AND s.{sort} >= :least - {slack}
    AND (u.priv & :visible) = :visible
    AND (:country IS NULL OR u.country = :country)
ORDER BY s.{sort} DESC, s.id
LIMIT :limit OFFSET :offset
