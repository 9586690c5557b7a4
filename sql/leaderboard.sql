-- What are the statistics of these players in a mode, sorted by {sort}? Without the hint, MariaDB reads all clans.
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
LEFT JOIN clans c /*! FORCE INDEX FOR JOIN (PRIMARY) */ ON c.id = u.clan_id
WHERE s.id IN (:ids)
    AND s.mode = :mode
    AND s.{sort} > 0
    AND (u.priv & :visible) = :visible
ORDER BY s.{sort} DESC, s.id
LIMIT 1000
