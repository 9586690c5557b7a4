"""The shapes and rules of the API: no I/O, and no imports beyond the standard library and msgspec."""
