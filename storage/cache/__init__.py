"""Caches of what the database and the game server return, and positions in long lists."""
