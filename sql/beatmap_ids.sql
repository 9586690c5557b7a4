-- Which beatmaps have this artist, this creator and this file name?
SELECT m.id
FROM maps m
WHERE (:artist IS NULL OR m.artist = :artist)
    AND (:creator IS NULL OR m.creator = :creator)
    AND (:filename IS NULL OR m.filename = :filename)
ORDER BY m.id
LIMIT :limit
