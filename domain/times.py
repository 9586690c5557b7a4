"""Times of the game server, which the database has without a time zone."""

from datetime import UTC, datetime, timedelta, tzinfo

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


def with_zone(time: datetime, zone: tzinfo | None) -> datetime:
    """Return a time with a zone. A naive time is in the time zone `zone`, by default that of this machine."""
    if time.tzinfo is not None:
        return time
    try:
        return time.replace(tzinfo=zone) if zone else time.astimezone()
    # The system knows the offsets of some centuries only.
    except (OverflowError, ValueError, OSError):
        return time.replace(tzinfo=UTC)


def in_utc(time: datetime, zone: tzinfo | None) -> datetime:
    """Return a time in UTC. A naive time is in the time zone `zone`, by default that of this machine."""
    try:
        return with_zone(time, zone).astimezone(UTC)
    # At the ends of the calendar.
    except OverflowError:
        return time.replace(tzinfo=UTC)


def utc_text(time: datetime, zone: tzinfo | None) -> str:
    """Return a time in the zone, None for that of this machine, as `YYYY-MM-DD HH:MM:SS` in UTC."""
    # Two thirds of what unzoned(in_utc(…)) takes, which was almost half of converting a score.
    try:
        return str(_EPOCH + unix_time(time, zone) * _SECOND)
    # At the ends of the calendar.
    except OverflowError:
        return unzoned(time)


def unzoned(time: datetime) -> str:
    """Return a time as `YYYY-MM-DD HH:MM:SS`, without its zone."""
    return str(time)[:19]
