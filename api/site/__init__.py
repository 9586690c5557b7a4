"""The start page and the API reference."""
