-- Which beatmap has this id, or this md5, how many players have its set among their favourites, and how is it rated on
-- average? For one beatmap, this takes less time than three statements.
SELECT
    m.md5,
    m.id,
    m.set_id,
    m.artist,
    m.title,
    m.version,
    m.creator,
    m.last_update,
    m.total_length,
    m.max_combo,
    m.status,
    m.plays,
    m.passes,
    m.mode,
    m.bpm,
    m.cs,
    m.od,
    m.ar,
    m.hp,
    m.diff,
    (
        SELECT COUNT(*)
        FROM favourites f
        STRAIGHT_JOIN users w ON w.id = f.userid
        WHERE f.setid = m.set_id
            AND (w.priv & :visible) = :visible
    ) AS favourites,
    (
        SELECT AVG(r.rating + 0e0)
        FROM ratings r
        STRAIGHT_JOIN users u ON u.id = r.userid
        WHERE r.map_md5 = m.md5
            AND (u.priv & :visible) = :visible
    ) AS rating
FROM maps m
WHERE m.id = COALESCE(:id, (SELECT MIN(n.id) FROM maps n WHERE n.md5 = :md5))
    AND (:id IS NOT NULL OR m.md5 = :md5)
ORDER BY m.server
LIMIT 1
