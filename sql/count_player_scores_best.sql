-- How many best scores in a mode does a player have, one per beatmap, on beatmaps that award pp?
SELECT
    COUNT(*) AS total
FROM scores s
WHERE s.userid = :id
    AND s.mode = :mode
    AND s.status = 2
    AND (
        SELECT COUNT(*)
        FROM maps m
        WHERE m.md5 = s.map_md5
            AND (m.status IN (2, 3) OR (m.status = 5 AND :include_loved = 1))
    ) > 0
    AND (
        (COALESCE(s.mods, 0) & :mask) = :mask
        OR (:weak = 1 AND (s.mods & :mask) <> 0)
    )
