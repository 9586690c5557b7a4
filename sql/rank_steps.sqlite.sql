-- How many players of a mode reach each of these numbers of pp (ascending), and how many of those with exactly as many
-- have an id that is not before some others as text? Ids are compared by numbers in the order of their texts: ten
-- digits, then the length. An index finds the players of each step.
WITH steps AS (
    SELECT
        a.key + 1 AS pp_step,
        a.value AS pp,
        COALESCE(b.value, 4294967296) AS next
    FROM json_each(:pps) a
    LEFT JOIN json_each(:pps) b ON b.key = a.key + 1
)
SELECT
    t.pp_step AS pp_step,
    CASE
        WHEN o.pp = t.pp
        THEN (
            SELECT COUNT(*)
            FROM json_each(:keys) k
            WHERE k.value <= CAST(substr(o.id || '000000000', 1, 10) || substr('0' || length(o.id), -2) AS INTEGER)
        )
        ELSE 1000000
    END AS id_step,
    CASE WHEN p.country IN (:countries) THEN p.country ELSE '' END AS country,
    COUNT(*) AS players
FROM steps t
CROSS JOIN stats o ON o.mode = :mode AND o.pp >= t.pp AND o.pp < t.next
CROSS JOIN users p ON p.id = o.id
WHERE o.pp >= :least
    AND (p.priv & 1) = 1
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
LIMIT 100000
