"""The fault suite: breaks what the service depends on while it is under load, and checks every response."""
