"""The running game server: its HTTP API, its pages, and requests passed on to it."""
