"""ASGI middleware around the routes, and the passthrough to the game server."""
