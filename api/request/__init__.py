"""Reading a request: parameters, the API key and the body."""
