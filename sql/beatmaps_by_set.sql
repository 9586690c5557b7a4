-- Which beatmaps match these filters, those of the newest sets first? The order is found in few columns, and only the
-- rows of the page are read whole.
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
    m.diff
FROM (
    SELECT
        f.server,
        f.id
    FROM maps f
    WHERE (:id IS NULL OR f.id = :id)
        AND (:set_id IS NULL OR f.set_id = :set_id)
        AND (:md5 IS NULL OR f.md5 = :md5)
        AND (:creator IS NULL OR f.creator = :creator)
        AND (:mode IS NULL OR f.mode = :mode)
        AND (:since IS NULL OR (f.last_update > :since AND f.status IN (2, 3, 5)))
    ORDER BY f.set_id DESC, f.id
    LIMIT :limit
) p
INNER JOIN maps m ON m.server = p.server AND m.id = p.id
ORDER BY m.set_id DESC, m.id
