"""Reads that the versions of the API share: functions from the services and plain arguments to rows."""
