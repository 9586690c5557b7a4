-- Which columns do the indexes of this database have, in which order?
SELECT
    s.table_name AS table_name,
    s.index_name AS index_name,
    s.column_name AS column_name,
    s.non_unique = 0 AS is_unique,
    COALESCE(s.collation = 'D', 0) AS is_descending
FROM information_schema.statistics s
WHERE s.table_schema = DATABASE()
    AND s.index_type NOT IN ('FULLTEXT', 'SPATIAL')
ORDER BY s.table_name, s.index_name, s.seq_in_index
LIMIT 10000
