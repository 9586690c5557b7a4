"""The session of a connection: what it sets on the server before it runs statements."""

import re

# SET NAMES, because a server with skip-character-set-client-handshake ignores what the driver asks for.
# Only this sql_mode: without strict mode, a server cuts off a text at a character that it cannot store, without an
# error, and other modes change what a statement means.
# index_merge would intersect the indexes of userid, mode and status: ten times slower than reading one of them.
BASE = (
    "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci, autocommit = 1, time_zone = '+00:00',"
    " sql_mode = 'STRICT_ALL_TABLES', optimizer_switch = 'index_merge_intersection=off'"
)
# A change that waits for a lock must have failed before this service stops waiting for it and answers 503, or the
# change would be made after that answer. It may wait for a lock of the table, and then for one of the row.
LOCKS = ", lock_wait_timeout = {table_wait}, innodb_lock_wait_timeout = {row_wait}"
MARIADB = ", max_statement_time = {seconds}"
MYSQL = ", max_execution_time = {milliseconds}"

ROW_WAIT = 1  # seconds, the least that a server accepts

# A server may accept connections and yet read no table, as a Galera node outside of the primary component.
# This table does not exist: such a server refuses to read it all the same, and nobody can have locked it.
PING = "SELECT 1 FROM apidot_ping"


def table_wait(statement_timeout: float) -> int:
    """Return for how many seconds a statement may wait for the lock of a table."""
    return max(1, int(statement_timeout / 2))


def statements(version: str, statement_timeout: float) -> list[str]:
    """Return SET statements for a server of this version, the best one first. Times are in seconds.

    Another one is for a server that does not know a variable of those before, such as one behind a proxy that
    reports a version of its own.
    """
    values = {
        "table_wait": table_wait(statement_timeout),
        "row_wait": ROW_WAIT,
        "seconds": statement_timeout,
        "milliseconds": int(statement_timeout * 1000),
    }
    limits = (MARIADB, MYSQL) if "mariadb" in version.lower() else (MYSQL, MARIADB)
    endings = [LOCKS + limit for limit in limits] + [LOCKS, ""]
    # MySQL has the variable since 5.7.8.
    if limits[0] == MYSQL and _numbers(version) < (5, 7, 8):
        endings = endings[1:]
    return [(BASE + ending).format(**values) for ending in endings]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
