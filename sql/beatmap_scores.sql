-- What are the players' best scores on a beatmap in a mode, sorted by {sort}? Of equal ones, the first is ahead. With
-- the tables in this order, rows come sorted from an index; for a join of clans, MySQL would sort them again.
SELECT
    s.id,
    s.map_md5,
    s.userid,
    u.name AS player_name,
    s.score,
    s.pp,
    s.acc,
    s.max_combo,
    s.mods,
    s.n300,
    s.n100,
    s.n50,
    s.nmiss,
    s.ngeki,
    s.nkatu,
    s.grade,
    s.status,
    s.mode,
    s.play_time,
    s.time_elapsed,
    s.perfect,
    u.country AS player_country,
    (SELECT c.id FROM clans c WHERE c.id = u.clan_id LIMIT 1) AS clan_id,
    (SELECT c.name FROM clans c WHERE c.id = u.clan_id LIMIT 1) AS clan_name,
    (SELECT c.tag FROM clans c WHERE c.id = u.clan_id LIMIT 1) AS clan_tag
FROM scores s
STRAIGHT_JOIN users u ON u.id = s.userid
WHERE s.map_md5 = :md5
    AND s.mode = :mode
    AND s.status = 2
    AND (u.priv & :visible) = :visible
    AND (
        (COALESCE(s.mods, 0) & :mask) = :mask
        OR (:weak = 1 AND (s.mods & :mask) <> 0)
    )
    {filters}
ORDER BY s.{sort} DESC, s.id
LIMIT :limit OFFSET :offset
