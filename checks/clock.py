"""Whether the clocks agree, and which time zones the machines use."""

import time
from datetime import datetime

from checks.findings import Finding, ok, warning
from config.settings import Settings
from storage.database import catalogue
from storage.database.database import Database

TOLERANCE = 2  # seconds


async def run(database: Database, settings: Settings) -> list[Finding]:
    """Compare this machine's clock and time zone with those of the database server."""
    before = time.time()
    clock = await database.one(catalogue.server_clock)
    after = time.time()
    if clock is None:
        return []
    # The server's time is a whole second, read at some moment between `before` and `after`.
    apart = max(before - clock.now - 1, clock.now - after, 0)
    finding = ok("clock.agrees", "the database's clock agrees with this one")
    if apart > TOLERANCE:
        text = f"the database's clock and this one are {apart:.0f} s apart"
        finding = warning("clock.apart", text, "let both machines take their time from the network (NTP)")
    return [finding, _zone(clock.zone, settings)]


def _zone(database: int | None, settings: Settings) -> Finding:
    offset = datetime.now(settings.zone).astimezone(settings.zone).utcoffset()
    here = int(offset.total_seconds()) if offset else 0
    if database is None:
        text = "the database's own time zone has a name that it does not know the offset of"
        return ok("clock.zone-unknown", text)
    whose = f"in {settings.time_zone}" if settings.time_zone else "here"
    if database == here == 0:
        return ok("clock.zone", f"local time is UTC {whose} and on the database's machine")
    text = f"local time is {_utc(here)} {whose} and {_utc(database)} on the database's machine"
    if database == here:
        return ok("clock.zone", f"{text}; replays are dated as if the game server's were the same")
    advice = (
        "play_time is the game server's local time: is it that of TIME_ZONE"
        if settings.time_zone
        else "play_time is the game server's local time: set TIME_ZONE if it is not the one here"
    )
    return warning("clock.zone", text, f"{advice}; created_at is the database's")


def _utc(offset: int) -> str:
    sign = "-" if offset < 0 else "+"
    return f"UTC{sign}{abs(offset) // 3600:02}:{abs(offset) % 3600 // 60:02}"
