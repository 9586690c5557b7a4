"""Live events: what has happened on the game server, told to everybody who listens."""
