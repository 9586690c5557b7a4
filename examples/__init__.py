"""Programs that use the API, which docs/guides.md explains."""
