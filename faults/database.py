"""Faults of the database."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager

import msgspec
import pymysql
from pymysql.constants import ER

from config.settings import Settings
from faults.fault import Context, Fault
from faults.load import Change, Kind, Outcome, Request
from faults.network import network, relay
from faults.servers import PASSWORD, USER, USERPAGE, Servers, polled
from tests.support import mariadbd

OTHERS = "others"
# The smallest max_connections that MariaDB accepts, and its default.
FEWEST_CONNECTIONS, USUAL_CONNECTIONS = 10, 151
OF_SERVICE = f"SELECT id FROM information_schema.processlist WHERE user = '{USER}'"


def longest_wait(settings: Settings) -> float:
    """A wait for a connection, a statement, and the second that a server that hangs is given to end it."""
    return settings.db_pool_wait + settings.db_statement_timeout + 1


def killed(context: Context) -> None:
    server = context.servers.mariadb
    os.kill(server.process.pid, signal.SIGKILL)
    server.stop()
    time.sleep(context.seconds)
    server.start()


def stopped(context: Context) -> None:
    context.servers.mariadb.pause()
    try:
        time.sleep(context.seconds)
    finally:
        context.servers.mariadb.resume()


def interrupted(context: Context) -> None:
    context.way.cut()
    try:
        time.sleep(context.seconds)
    finally:
        context.way.restore()


def connections_killed(context: Context) -> None:
    deadline = time.monotonic() + context.seconds
    while time.monotonic() < deadline:
        kill_connections(context.servers)
        time.sleep(0.1)


def kill_connections(servers: Servers) -> None:
    """End the service's connections to the database."""
    with closing(mariadbd.connect(servers.database)) as connection, connection.cursor() as cursor:
        cursor.execute(OF_SERVICE)
        for (id,) in cursor.fetchall():
            try:
                cursor.execute(f"KILL CONNECTION {id}")
            except pymysql.OperationalError as error:
                if error.args[0] != ER.NO_SUCH_THREAD:
                    raise


def connections_full(context: Context) -> None:
    servers = context.servers
    servers.execute(
        f"CREATE USER IF NOT EXISTS '{OTHERS}'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'",
        f"SET GLOBAL max_connections = {FEWEST_CONNECTIONS}",
    )
    url = servers.mariadb.url.replace(servers.mariadb.url.partition("@")[0], f"mysql://{OTHERS}:{PASSWORD}")
    try:
        with ExitStack() as open_connections:
            deadline = time.monotonic() + context.seconds
            # The service reconnects meanwhile: until it has no connection left, its places are taken again.
            while time.monotonic() < deadline:
                kill_connections(servers)
                try:
                    while True:
                        open_connections.enter_context(closing(mariadbd.connect(url)))
                except pymysql.OperationalError as error:
                    if error.args[0] != ER.CON_COUNT_ERROR:
                        raise
                time.sleep(0.1)
    finally:
        servers.execute(f"SET GLOBAL max_connections = {USUAL_CONNECTIONS}")


def tables_locked(context: Context) -> None:
    tables = ", ".join(f"{table} WRITE" for (table,) in context.servers.rows("SHOW TABLES"))
    with executing(context.servers, f"LOCK TABLES {tables}"):
        time.sleep(context.seconds)


def reads_only(context: Context) -> None:
    with executing(context.servers, "FLUSH TABLES WITH READ LOCK"):
        time.sleep(context.seconds)


def row_locked(context: Context) -> None:
    lock = f"SELECT id FROM users WHERE id = {context.servers.player} FOR UPDATE"
    with executing(context.servers, "START TRANSACTION", lock):
        time.sleep(context.seconds)


def read_only(context: Context) -> None:
    context.servers.execute("SET GLOBAL read_only = 1")
    try:
        time.sleep(context.seconds)
    finally:
        context.servers.execute("SET GLOBAL read_only = 0")


@contextmanager
def executing(servers: Servers, *statements: str) -> Iterator[None]:
    """Run the statements on a connection, which ends with the block, and its locks with it."""
    with closing(mariadbd.connect(servers.database)) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        yield


def set_userpage(servers: Servers, number: int) -> Request:
    """Return a request that writes the number into the player's profile."""
    headers = {"Authorization": f"Bearer {servers.key}", "Content-Type": "application/json"}
    body = msgspec.json.encode({"userpage_content": f"change {number}"})
    return Request("/v1/set_player_info", "POST", headers, body)


def change_is_made(context: Context, seconds: float) -> float | None:
    """Wait for a change to be made."""
    before = len(context.load.changes)
    return polled(lambda: any(c.outcome.kind is Kind.FRESH for c in context.load.changes[before:]), seconds)


def last_change_is_stored(context: Context, _: Sequence[Outcome], changes: Sequence[Change]) -> list[str]:
    """Find a change that was made although the response was a 503, or not made although it was a 200."""
    made = [change.number for change in changes if change.outcome.kind is Kind.FRESH]
    ((stored,),) = context.servers.rows(f"SELECT userpage_content FROM users WHERE id = {context.servers.player}")
    expected = f"change {made[-1]}" if made else USERPAGE
    return [] if stored == expected else [f"{stored!r} is stored, not {expected!r}"]


FAULTS = (
    Fault("database-killed", "database killed (SIGKILL) and started again", killed, longest_wait),
    Fault("database-stopped", "database stopped (SIGSTOP) and continued", stopped, longest_wait),
    Fault("packets", "every packet to and from the database lost", interrupted, longest_wait, way=network),
    Fault("relay", "a relay before the database stopped", interrupted, longest_wait, way=relay),
    Fault("connections-killed", "connections killed, ten times a second", connections_killed, longest_wait),
    Fault("connections-full", "all connections of the database taken by others", connections_full, longest_wait),
    Fault("tables-locked", "all tables locked (LOCK TABLES)", tables_locked, longest_wait),
    *(
        Fault(
            name,
            title,
            make,
            longest_wait,
            change=set_userpage,
            check=last_change_is_stored,
            recovered=change_is_made,
        )
        for name, title, make in (
            ("read-lock", "database locked for changes (FLUSH TABLES WITH READ LOCK)", reads_only),
            ("row-lock", "a player's row locked, whose profile is changed", row_locked),
            ("read-only", "database read-only, while a profile is changed", read_only),
        )
    ),
)
