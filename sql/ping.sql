-- Which database server is this, and does it read the game server's tables?
SELECT VERSION() AS version, EXISTS (SELECT 1 FROM users) AS has_players
