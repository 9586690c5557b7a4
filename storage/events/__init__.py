"""Live events of the game server: found by polling, and sent to clients that listen."""
