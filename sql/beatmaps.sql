-- Which beatmaps match these filters? The offset is skipped by key, and only the rows of the page are read whole. They
-- are ordered by {order}.
SELECT
    m.md5,
    m.id,
    m.server,
    m.set_id,
    m.artist,
    m.title,
    m.version,
    m.creator,
    m.filename,
    m.last_update,
    m.total_length,
    m.max_combo,
    m.frozen,
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
        m.server,
        m.id
    FROM maps m
    WHERE (:set_id IS NULL OR m.set_id = :set_id)
        AND (:server IS NULL OR m.server = :server)
        AND (:status IS NULL OR m.status = :status)
        AND (:artist IS NULL OR m.artist = :artist)
        AND (:creator IS NULL OR m.creator = :creator)
        AND (:filename IS NULL OR m.filename = :filename)
        AND (:mode IS NULL OR m.mode = :mode)
        AND (:frozen IS NULL OR m.frozen = :frozen)
    ORDER BY {order}
    LIMIT :limit OFFSET :offset
) p
INNER JOIN maps m ON m.server = p.server AND m.id = p.id
ORDER BY {order}
