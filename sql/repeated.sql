-- How many values do several rows of {table} have in {columns}?
SELECT COUNT(*) AS total
FROM (
    SELECT COUNT(*) AS amount
    FROM {table} t
    WHERE t.{first} IS NOT NULL
    GROUP BY {columns}
    HAVING COUNT(*) > 1
) r
