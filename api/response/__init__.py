"""Writing a response: encoding, caching and errors."""
