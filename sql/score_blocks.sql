-- How many scores are in each run of a thousand ids, among those with an id from `first` to `last`?
SELECT
    s.id - s.id % 1000 AS first,
    MAX(s.id) AS last,
    COUNT(*) AS total
FROM scores s
WHERE s.id >= :first
    AND (:last IS NULL OR s.id <= :last)
    AND s.userid IS NOT NULL
    AND (:mods IS NULL OR s.mods = :mods)
    AND (:status IS NULL OR s.status = :status)
    AND (:mode IS NULL OR s.mode = :mode)
GROUP BY s.id - s.id % 1000
