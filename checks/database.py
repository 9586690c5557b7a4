"""Whether the database can be reached, and what its user may do."""

from contextlib import AsyncExitStack
from urllib.parse import parse_qs, unquote, urlsplit

from api.dependencies import server_state
from api.startup import open_database
from checks.findings import Finding, error, ok, warning
from checks.hosts import advice_if_unknown
from config.settings import Settings
from domain.errors import CannotOpen
from storage.database import catalogue
from storage.database.database import Database, MissingFile
from storage.database.failures import describe, number_of

WRITES = ("INSERT", "UPDATE", "DELETE")
NEW_PASSWORD = "the password of DB_USER has expired: give it another one with ALTER USER"
UNLOCK = "the account of DB_USER is locked: ALTER USER … ACCOUNT UNLOCK"
# The drivers' errors for a server that cannot be reached.
NOT_CONNECTED = {2003, 2005}
# Advice by the number of the driver's error.
ADVICE = {
    1040: "raise max_connections, or let fewer programs connect",
    1044: "let DB_USER read the database: GRANT SELECT",
    1045: "DB_USER and DB_PASS are not those of a user who may come from this machine",
    1049: "DB_NAME names a database that is not there",
    1698: "DB_USER may come in through the server's socket alone: make a user with a password",
    1820: NEW_PASSWORD,
    1862: NEW_PASSWORD,
    2003: "is DB_HOST:DB_PORT right, is the server running, and may it be reached from here?",
    2026: "DB_SSL and DB_SSL_CA say which certificates are accepted; see docs/operating.md, Encrypted connections",
    3032: "the server is in offline mode, in which only administrators may log in: offline_mode",
    3118: UNLOCK,
    3159: "the server accepts encrypted connections only: set DB_SSL to required or verify",
    4151: UNLOCK,
}
OTHER_ADVICE = "is DB_HOST:DB_PORT right, and does the server answer others?"


async def run(settings: Settings, stack: AsyncExitStack) -> tuple[Database | None, Finding]:
    """Return the database, None if it cannot be opened, and a finding: "ok" if it can be reached."""
    try:
        database = await open_database(settings, stack)
    except MissingFile as missing:
        return None, error("database.missing-file", str(missing), "is the path in DATABASE_URL right?")
    except CannotOpen as missing:
        text, _, advice = str(missing).partition(": ")
        return None, error("database.driver", text, advice)
    state = await server_state(database)
    if state.state == "up":
        return database, ok("database.version", f"{state.description} at {_address(settings)}")
    reason = "no answer in time" if isinstance(state.error, TimeoutError) else describe(state.error)
    number = number_of(state.error) or 0
    text = f"{_address(settings)} does not answer: {reason}"
    advice = ADVICE.get(number, OTHER_ADVICE)
    if number in NOT_CONNECTED:
        host = urlsplit(settings.database or "").hostname
        advice = await advice_if_unknown(host, "DB_HOST") or advice
    return database, error("database.away", text, advice)


def _address(settings: Settings) -> str:
    """Return where the database is, without the password."""
    parts = urlsplit(settings.database or "")
    if parts.scheme == "sqlite":
        return parts.path[1:]
    user = f" as {unquote(parts.username)}" if parts.username else ""
    socket = parse_qs(parts.query).get("unix_socket")
    server = socket[0] if socket else f"{parts.hostname}:{parts.port or 3306}"
    return f"{server}{unquote(parts.path)}{user}"


async def run_encryption(database: Database) -> list[Finding]:
    """Check whether the connections are encrypted, or do not leave this machine."""
    link = await database.link()
    if link is None:
        return []
    if link.protocol:
        return [ok("database.encrypted", f"connections are encrypted with {link.protocol}")]
    if link.is_local:
        return [ok("database.local", "connections are not encrypted, and do not leave this machine")]
    text = "the server is on another host, or in another container, and connections to it are not encrypted"
    advice = "set DB_SSL to required or verify, unless nobody else can read what is sent on that network"
    return [warning("database.not-encrypted", text, advice)]


async def run_connections(database: Database, settings: Settings) -> list[Finding]:
    """Check whether the server allows as many connections as the workers may open."""
    allowed = await database.one(catalogue.connections_allowed)
    if allowed is None or not allowed.in_all:
        return []
    if too_few := allowed.too_few(settings.api_workers, settings.db_pool_max):
        advice = "make DB_POOL_MAX smaller, or raise max_connections; the game server needs some of them too"
        return [warning("database.connections", f"too few connections: {too_few}", advice)]
    most = settings.api_workers * settings.db_pool_max
    return [ok("database.connections", f"at most {most} of the {allowed.in_all} connections it allows are opened")]


async def run_privileges(database: Database) -> list[Finding]:
    """Check whether the user may write. Neither is wrong: only set_player_info writes."""
    privileges = {row.privilege.upper() for row in await database.all(catalogue.privileges)}
    writes = [name for name in WRITES if name in privileges or "ALL PRIVILEGES" in privileges]
    if writes:
        text = f"its user may also {', '.join(writes)}; only set_player_info needs to write"
        return [ok("database.may-write", text)]
    if "SELECT" not in privileges:
        return [ok("database.rights-unknown", "what its user may do comes from a role, and was not looked into")]
    text = "its user may read and nothing else, which is enough but for set_player_info"
    return [ok("database.read-only", text)]
