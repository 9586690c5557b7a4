-- Which database server is this?
SELECT VERSION() AS version
