-- Which database server is this, and may everything be read that the other statements read? No rows are read.
SELECT VERSION() AS version, {readable} AS has_rows
