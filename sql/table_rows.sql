-- How many rows do the tables of this database have, about?
SELECT
    t.table_name AS table_name,
    COALESCE(t.table_rows, 0) AS total
FROM information_schema.tables t
WHERE t.table_schema = DATABASE()
ORDER BY t.table_name
LIMIT 10000
