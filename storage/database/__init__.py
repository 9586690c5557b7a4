"""The game server's database: its statements, the pool they run on, and what differs between the drivers."""
