-- How many players of a mode reach each of these numbers of pp (ascending), and how many of those with exactly as many
-- have an id that is not before some others as text? Ids are compared by numbers in the order of their texts: ten
-- digits, then the length. INTERVAL tells how many of its further arguments are not greater than the first.
SELECT
    INTERVAL(o.pp, :pps) AS pp_step,
    CASE
        WHEN o.pp IN (:pps)
        THEN INTERVAL(CAST(CONCAT(RPAD(o.id, 10, '0'), LPAD(CHAR_LENGTH(o.id), 2, '0')) AS UNSIGNED), :keys)
        ELSE 1000000
    END AS id_step,
    CASE WHEN p.country IN (:countries) THEN p.country ELSE '' END AS country,
    COUNT(*) AS players
FROM stats o
STRAIGHT_JOIN users p ON p.id = o.id
WHERE o.mode = :mode
    AND o.pp >= :least
    AND (p.priv & 1) = 1
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
LIMIT 100000
