"""Times of the game server, which the database has without a time zone."""

from datetime import datetime, timedelta, tzinfo

_EPOCH = datetime(1970, 1, 1)
_SECOND = timedelta(seconds=1)


def unix_time(time: datetime, zone: tzinfo | None) -> int:
    """Return a time in the zone, None for that of this machine, in Unix seconds."""
    # An aware datetime would take several times as long to make.
    if zone is None:
        try:
            return int(time.timestamp())
        # The system knows the offsets of some centuries only.
        except (OverflowError, ValueError, OSError):
            return (time - _EPOCH) // _SECOND
    return (time - _EPOCH - (zone.utcoffset(time) or timedelta())) // _SECOND
