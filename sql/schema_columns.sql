-- Which columns do the tables of this database have?
SELECT
    c.table_name AS table_name,
    c.column_name AS column_name,
    c.column_type AS column_type,
    c.is_nullable = 'YES' AS nullable,
    c.collation_name AS collation
FROM information_schema.columns c
WHERE c.table_schema = DATABASE()
ORDER BY c.table_name, c.ordinal_position
LIMIT 10000
