"""What the errors of a database mean: for the statement alone, for its connection, or for the server."""

import sqlite3

# The server does not serve this connection any more, and perhaps no other one. In this order: a Galera node that
# is not part of the primary component, a shutdown (or KILL, on MySQL), more stages of a shutdown, an aborted
# connection, network errors, an aborted connection, KILL on MariaDB, offline mode, a server that is not available,
# KILL on MySQL, a connection closed because it was idle.
GONE = frozenset(
    (1047, 1053, 1077, 1078, 1079, 1080, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 3032, 3168, 3169, 4031)
)
# Connecting failed on the way, so the next attempt may succeed: those, and a connection that was lost.
ON_THE_WAY = GONE | {2006, 2013}
# A server that was the primary one and now only reads: --read-only, a read-only transaction, read-only mode.
READ_ONLY = frozenset((1290, 1792, 1836))
# The change could not be committed, because the server is not part of its cluster any more: a Galera node, a
# member of a replication group.
NOT_COMMITTED = frozenset((1180, 3100))
# The statement was rolled back because of another one: waited too long for a lock, deadlock (or, on a Galera node,
# a conflict with another node), a conflict in group replication.
LOCK_WAIT = 1205
CONFLICT = frozenset((LOCK_WAIT, 1213, 3101))
# A server that refuses these refuses every statement of this user, as it does when a limit of the user is reached,
# when the password has expired, or when there is no such database. ProxySQL answers 9001 to 9019 without a server.
EVERY_STATEMENT = frozenset((1040, 1044, 1045, 1049, 1129, 1130, 1203, 1226, 1820, 1862, *range(9001, 9020)))
# The user may not read the table; there is no such table.
DENIED_TABLE = 1142
MISSING_TABLE = 1146
# How often a statement is run again because of each: on another connection, until a switchover has ended (for 1.25
# to 2.5 s, see SETTLED in database.py), and after a conflict.
LOST, MOVED, CONFLICTED = "lost", "moved", "conflicted"
TRIES_AGAIN = {LOST: 1, MOVED: 10, CONFLICTED: 4}
# A variable that the server does not know.
UNKNOWN_VARIABLE = 1193
# Raised by our readers for a row that is too large. The next answer would be as large.
MALFORMED = 2027

# What a number means, where the server's own text does not say it to somebody who does not know the server.
MEANINGS = {
    1040: "the server has no connection left (max_connections)",
    1047: "the server is not ready, as a Galera node that is not part of the primary component",
    1129: "the server has blocked this machine after failed connections; FLUSH HOSTS on the server ends that",
    1203: "the user has no connection left (max_user_connections)",
    1290: "the server is read-only",
    1836: "the server is read-only",
    1820: "the password of the database user has expired",
    1862: "the password of the database user has expired",
    3032: "the server is in offline mode",
    3118: "the account of the database user is locked",
    3159: "the server accepts encrypted connections only",
    3955: "the account of the database user is locked for some time, after failed logins",
    4151: "the account of the database user is locked",
}


def number_of(error: BaseException | None) -> int | None:
    """Return the number of a driver's error, None if it has none."""
    number = error.args[0] if error is not None and error.args else None
    return number if isinstance(number, int) and not isinstance(error, OSError) else None


def is_of_server(error: BaseException) -> bool:
    """Return whether the server itself answered with this error."""
    number = number_of(error)
    # The numbers from 2000 to 2999 are the client's: it cannot connect, or the connection was lost.
    return number is not None and (1000 <= number < 2000 or number >= 3000)


def is_refusal(error: BaseException) -> bool:
    """Return whether a server that runs other statements failed at this one, as when a table is missing."""
    if isinstance(error, sqlite3.Error):
        return True
    return is_of_server(error) and number_of(error) not in GONE | EVERY_STATEMENT


def is_missing_table(error: BaseException) -> bool:
    """Return whether a statement was refused because there is no such table."""
    return number_of(error) == MISSING_TABLE or str(error).startswith("no such table")


def is_denied_table(error: BaseException) -> bool:
    """Return whether a statement was refused because the user may not read a table."""
    return number_of(error) == DENIED_TABLE


def ends_connection(error: BaseException) -> bool:
    """Return whether no other statement can run on the connection."""
    return not is_of_server(error) or number_of(error) in GONE


def describe(error: BaseException | None) -> str:
    """Return an error as text, with what its number means if the server's own text does not say it."""
    number = number_of(error)
    if error is None or number is None:
        return str(error) or type(error).__name__
    text = ": ".join(str(part) for part in error.args[1:])
    # The drivers say that they cannot connect. Why is in the error that they caught.
    if isinstance(error.__cause__, OSError) and (reason := str(error.__cause__)) and reason not in text:
        text = f"{text}: {reason}"
    if number in MEANINGS:
        text = f"{MEANINGS[number]}: {text}"
    return f"{text} ({number})" if number else text


def reason_to_try_again(error: BaseException, *, is_change: bool) -> str | None:
    """Return why a statement that failed may succeed if it is run again, None if it will not."""
    number = number_of(error)
    if ends_connection(error):
        return None if number == MALFORMED else LOST
    if is_change and number in NOT_COMMITTED:
        return LOST
    # A read has waited for the lock of a table, which somebody holds on purpose.
    if number in CONFLICT and (is_change or number != LOCK_WAIT):
        return CONFLICTED
    return MOVED if is_change and number in READ_ONLY else None
