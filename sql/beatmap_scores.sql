-- What are the players' best scores on a beatmap in a mode, sorted by {sort}?
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
    c.id AS clan_id,
    c.name AS clan_name,
    c.tag AS clan_tag
FROM scores s
INNER JOIN users u ON u.id = s.userid
LEFT JOIN clans c ON c.id = u.clan_id
WHERE s.map_md5 = :md5
    AND s.mode = :mode
    AND s.status = 2
    AND (u.priv & :visible) = :visible
    AND (
        (COALESCE(s.mods, 0) & :mask) = :mask
        OR (:weak = 1 AND (s.mods & :mask) <> 0)
    )
ORDER BY s.{sort} DESC, s.id DESC
LIMIT :limit OFFSET :offset
