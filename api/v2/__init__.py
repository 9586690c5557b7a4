"""Version 2 of the API, as current front-ends use it."""
