-- Which beatmaps match these filters? The offset is skipped by key, and only the rows of the page are read whole.
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
        f.server,
        f.id
    FROM maps f
    WHERE (:set_id IS NULL OR f.set_id = :set_id)
        AND (:server IS NULL OR f.server = :server)
        AND (:status IS NULL OR f.status = :status)
        AND (:artist IS NULL OR f.artist = :artist)
        AND (:creator IS NULL OR f.creator = :creator)
        AND (:filename IS NULL OR f.filename = :filename)
        AND (:mode IS NULL OR f.mode = :mode)
        AND (:frozen IS NULL OR f.frozen = :frozen)
    ORDER BY f.server, f.id
    LIMIT :limit OFFSET :offset
) p
INNER JOIN maps m ON m.server = p.server AND m.id = p.id
ORDER BY m.server, m.id
