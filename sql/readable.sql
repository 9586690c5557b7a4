-- May this service read {column} of {table}? No rows are read.
SELECT COUNT(t.{column}) AS total
FROM {table} t
WHERE 1 = 0
