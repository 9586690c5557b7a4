-- What are the statistics of these players in a mode, sorted by {sort}? For a join, MariaDB would read all clans.
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
    (SELECT c.id FROM clans c WHERE c.id = u.clan_id LIMIT 1) AS clan_id,
    (SELECT c.name FROM clans c WHERE c.id = u.clan_id LIMIT 1) AS clan_name,
    (SELECT c.tag FROM clans c WHERE c.id = u.clan_id LIMIT 1) AS clan_tag
FROM stats s
INNER JOIN users u ON u.id = s.id
WHERE s.id IN (:ids)
    AND s.mode = :mode
    AND s.{sort} > 0
    AND (u.priv & :visible) = :visible
ORDER BY s.{sort} DESC, s.id
LIMIT 1000
