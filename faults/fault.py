"""What a fault is: how it is made, and what the documentation says about the responses meanwhile."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from config.settings import Settings
from faults.load import Change, Load, Outcome, Request
from faults.network import Link
from faults.servers import MAIN, Servers, Service

# Seconds until the first fresh response after a fault is over.
RECOVERY = 2.0


class NeedsRoot(Exception):
    """Only root can make the fault."""


@dataclass
class Context:
    """What a fault is made on. `seconds` is how long it lasts."""

    servers: Servers
    service: Service
    settings: Settings
    link: Link | None
    load: Load
    seconds: float
    # What a fault remembers for its checks: times on the monotonic clock, exit codes.
    notes: dict[str, float] = field(default_factory=dict)

    @property
    def signed(self) -> dict[str, str]:
        """The headers of a request of the player with an API key."""
        return {"Authorization": f"Bearer {self.servers.key}"}

    @property
    def way(self) -> Link:
        """The way to the database that this fault interrupts."""
        assert self.link is not None
        return self.link


def friends_are_read(context: Context, seconds: float) -> float | None:
    """Wait for a response that is never cached and needs the database."""
    return context.load.first_fresh(Request("/v1/get_friends", headers=context.signed), seconds)


def no_problem(context: Context, outcomes: Sequence[Outcome], changes: Sequence[Change]) -> list[str]:
    """Find nothing wrong."""
    return []


@dataclass(frozen=True)
class Fault:
    """A fault. `name` selects it; `title` is its row in the table.

    `make` makes the fault and ends it. `longest_wait` is the documented bound on the time of each request, in
    seconds. `recovered` waits for the first fresh response after the fault; `check` returns what else is wrong.
    """

    name: str
    title: str
    make: Callable[[Context], None]
    longest_wait: Callable[[Settings], float]
    recovered: Callable[[Context, float], float | None] = friends_are_read
    check: Callable[[Context, Sequence[Outcome], Sequence[Change]], list[str]] = no_problem
    # The way to the database that is interrupted; else the service connects to it directly.
    way: Callable[[str], AbstractContextManager[Link]] | None = None
    # Makes a folder for the data, if the fault needs one of its own. The setting that names it is added.
    data: Callable[[Servers], AbstractContextManager[str]] | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    workers: int = 1
    program: Sequence[str] = MAIN
    # Whether connections of clients may be lost while it lasts.
    loses_connections: bool = False
    game_server_is_down: bool = False
    # Makes requests that change something, by number.
    change: Callable[[Servers, int], Request] | None = None
