"""The osu! API v1, as the libraries and bots that are written for the official one know it."""
