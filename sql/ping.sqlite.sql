-- Which database is this, and may everything be read that the other statements read? No rows are read.
SELECT 'SQLite ' || SQLITE_VERSION() AS version, {readable} AS has_rows
