"""The pp engine: the processes that calculate pp."""
