-- Which columns do the indexes of this database have, in which order?
SELECT
    m.name AS table_name,
    CASE i.origin WHEN 'pk' THEN 'PRIMARY' ELSE i.name END AS index_name,
    c.name AS column_name,
    i."unique" AS is_unique,
    c."desc" AS is_descending
FROM sqlite_master m
INNER JOIN pragma_index_list(m.name) i
INNER JOIN pragma_index_xinfo(i.name) c
WHERE m.type = 'table'
    AND c.key = 1
ORDER BY m.name, i.seq, c.seqno
LIMIT 10000
