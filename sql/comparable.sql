-- Can the database compare {column} of {table} with {other_column} of {other_table}? No rows are read.
SELECT COUNT(*) AS total
FROM {table} t
INNER JOIN {other_table} o ON o.{other_column} = t.{column}
WHERE 1 = 0
