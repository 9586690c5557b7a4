-- How many scores has a player pinned in a mode, on beatmaps that are known?
SELECT
    COUNT(*) AS total
FROM scores s
WHERE s.userid = :id
    AND s.mode = :mode
    AND pinned = 1
    AND (SELECT COUNT(*) FROM maps m WHERE m.md5 = s.map_md5) > 0
    AND (
        (COALESCE(s.mods, 0) & :mask) = :mask
        OR (:weak = 1 AND (s.mods & :mask) <> 0)
    )
