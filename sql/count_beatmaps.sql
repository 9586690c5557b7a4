-- How many beatmaps match these filters?
SELECT COUNT(*) AS total
FROM maps m
WHERE (:set_id IS NULL OR m.set_id = :set_id)
    AND (:server IS NULL OR m.server = :server)
    AND (:status IS NULL OR m.status = :status)
    AND (:artist IS NULL OR m.artist = :artist)
    AND (:creator IS NULL OR m.creator = :creator)
    AND (:filename IS NULL OR m.filename = :filename)
    AND (:mode IS NULL OR m.mode = :mode)
    AND (:frozen IS NULL OR m.frozen = :frozen)
