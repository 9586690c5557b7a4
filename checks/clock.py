"""Whether the clocks agree, and in which time zone each of them is read."""

import time
from datetime import datetime

from checks.findings import Finding, ok, warning
from storage.database import catalogue
from storage.database.database import Database

TOLERABLE = 2  # seconds


async def run(database: Database) -> list[Finding]:
    """This machine's clock against the database server's."""
    asked = time.time()
    clock = await database.one(catalogue.server_clock)
    answered = time.time()
    if clock is None:
        return []
    behind = max(asked - clock.now - 1, clock.now - answered, 0)
    findings = [ok("clock.agrees", "the database's clock agrees with this one")]
    if behind > TOLERABLE:
        text = f"the database's clock and this one are {behind:.0f} s apart"
        findings = [warning("clock.apart", text, "let both machines take their time from the network (NTP)")]
    return [*findings, _zone(clock.zone)]


def _zone(database: int | None) -> Finding:
    own = datetime.now().astimezone().utcoffset()
    here = int(own.total_seconds()) if own else 0
    if database is None:
        text = "the database's own time zone has a name that it does not know the offset of"
        return ok("clock.zone-unknown", text)
    if database == here == 0:
        return ok("clock.zone", "local time is UTC here and on the database's machine")
    text = f"local time is {_offset(here)} here and {_offset(database)} on the database's machine"
    if database == here:
        return ok("clock.zone", f"{text}; play_time is the game server's, and replays take it for UTC")
    advice = "play_time is the game server's local time, created_at the database's: run both in one zone, best UTC"
    return warning("clock.zone", text, advice)


def _offset(seconds: int) -> str:
    sign = "-" if seconds < 0 else "+"
    return f"UTC{sign}{abs(seconds) // 3600:02}:{abs(seconds) % 3600 // 60:02}"
