"""The commands `check` and `check-replays`."""
