-- Which database server is this?
SELECT 'SQLite ' || sqlite_version() AS version
