-- Which database is this, and does it have the game server's tables?
SELECT 'SQLite ' || SQLITE_VERSION() AS version, EXISTS (SELECT 1 FROM users) AS has_players
