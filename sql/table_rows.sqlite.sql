-- How many rows do the tables of this database have, about? SQLite does not know.
SELECT
    m.name AS table_name,
    0 AS total
FROM sqlite_master m
WHERE m.type = 'table'
ORDER BY m.name
LIMIT 10000
