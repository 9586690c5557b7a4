-- Which columns do the indexes of this database have, in which order?
SELECT
    s.table_name AS table_name,
    s.index_name AS index_name,
    s.column_name AS column_name
FROM information_schema.statistics s
WHERE s.table_schema = DATABASE()
ORDER BY s.table_name, s.index_name, s.seq_in_index
LIMIT 10000
