-- How many scores in a mode does a player have, on beatmaps that are known?
SELECT
    COUNT(*) AS total
FROM scores s
WHERE s.userid = :id
    AND s.mode = :mode
    AND (SELECT COUNT(*) FROM maps m WHERE m.md5 = s.map_md5) > 0
    AND (COALESCE(s.status, 0) <> 0 OR :include_failed = 1)
    AND (
        (COALESCE(s.mods, 0) & :mask) = :mask
        OR (:weak = 1 AND (s.mods & :mask) <> 0)
    )
