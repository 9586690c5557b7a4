-- May this service read these columns of {table}? No rows are read.
SELECT COUNT(*) AS total
FROM (SELECT {columns} FROM {table} t WHERE 1 = 0) AS r
