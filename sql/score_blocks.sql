-- How many scores are in each run of a thousand ids, among the first `limit` scores from an id on?
SELECT
    p.id - p.id % 1000 AS first,
    MAX(p.id) AS last,
    COUNT(*) AS total
FROM (
    SELECT s.id
    FROM scores s
    WHERE s.id >= :first
        AND s.userid IS NOT NULL
        AND (:mods IS NULL OR s.mods = :mods)
        AND (:status IS NULL OR s.status = :status)
        AND (:mode IS NULL OR s.mode = :mode)
    ORDER BY s.id
    LIMIT :limit
) p
GROUP BY p.id - p.id % 1000
