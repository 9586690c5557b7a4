-- Can the tables of the game server be read?
SELECT id FROM users LIMIT 1
