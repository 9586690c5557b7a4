"""Everything outside this process: the database, Redis, the game server, files, and the pp engine."""
