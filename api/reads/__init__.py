"""Reads that both versions of the API use: they take the services and plain values, and return rows."""
