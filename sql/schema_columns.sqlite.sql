-- Which columns do the tables of this database have?
SELECT
    m.name AS table_name,
    c.name AS column_name,
    c.type AS column_type,
    c."notnull" = 0 AS nullable,
    NULL AS collation
FROM sqlite_master m
INNER JOIN pragma_table_info(m.name) c
WHERE m.type IN ('table', 'view')
ORDER BY m.name, c.cid
LIMIT 10000
