"""The time zone of the game server, in which its database has the times of scores."""

from datetime import UTC, datetime, tzinfo


def with_zone(time: datetime, zone: tzinfo | None) -> datetime:
    """Return a time with a zone. A naive time is in the time zone `zone`, by default that of this machine."""
    if time.tzinfo is not None:
        return time
    try:
        return time.replace(tzinfo=zone) if zone else time.astimezone()
    # The system knows the offsets of some centuries only.
    except (OverflowError, ValueError, OSError):
        return time.replace(tzinfo=UTC)


def unzoned(time: datetime) -> str:
    """Return a time as `YYYY-MM-DD HH:MM:SS`, without its zone."""
    return time.replace(tzinfo=None).isoformat(" ", "seconds")


def in_utc(time: datetime, zone: tzinfo | None) -> datetime:
    """Return a time in UTC. A naive time is in the time zone `zone`, by default that of this machine."""
    time = with_zone(time, zone)
    try:
        return time.astimezone(UTC)
    # At the ends of the calendar.
    except OverflowError:
        return time.replace(tzinfo=UTC)
