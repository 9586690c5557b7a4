"""Version 1 of the API, as the published documentation and today's clients know it."""
