"""Whether the database answers, and what its user may do."""

from urllib.parse import unquote, urlsplit

from checks.findings import Finding, error, ok, warning
from config.settings import Settings
from domain.errors import Unavailable
from storage.database import catalogue
from storage.database.database import Database, MissingFile
from storage.database.drivers import MissingDriver

WRITES = ("INSERT", "UPDATE", "DELETE")
# What MySQL's commonest refusals come from.
CAUSES = {
    1044: "let DB_USER read the database: GRANT SELECT",
    1045: "DB_USER and DB_PASS are not those of a user who may come from this machine",
    1049: "DB_NAME names a database that is not there",
    1698: "DB_USER may come in through the server's socket alone: make a user with a password",
    2003: "is DB_HOST:DB_PORT right, is the server running, and may it be reached from here?",
    2005: "DB_HOST is a name that nobody knows here; a container's is known in its own network alone",
}
FALLBACK = "is DB_HOST:DB_PORT right, and does the server answer others?"


class Unreachable(Exception):
    """There is no use in asking the database; carries the finding that says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.text)
        self.finding = finding


def opened(settings: Settings) -> Database:
    """The database as `serve` would open it, not connected yet. Raises Unreachable."""
    url = settings.database or ""
    try:
        return Database(
            url, wait=settings.db_pool_wait, statement_timeout=max(settings.db_statement_timeout, 10.0)
        )
    except MissingDriver as missing:
        text, _, advice = str(missing).partition(": ")
        raise Unreachable(error("database.driver", text, advice)) from None


def place(settings: Settings) -> str:
    """Where the database is, without the password."""
    parts = urlsplit(settings.database or "")
    if parts.scheme == "sqlite":
        return parts.path[1:]
    user = f" as {unquote(parts.username)}" if parts.username else ""
    return f"{parts.hostname}:{parts.port or 3306}{unquote(parts.path)}{user}"


async def run(database: Database, settings: Settings) -> list[Finding]:
    """Its version. Raises Unreachable."""
    try:
        await database.connect()
        row = await database.one(catalogue.server_version)
    except MissingFile as missing:
        raise Unreachable(
            error("database.missing-file", str(missing), "is the path in DATABASE_URL right?")
        ) from None
    except Unavailable as unavailable:
        cause = unavailable.__cause__
        number = cause.args[0] if cause and cause.args else 0
        reason = "no answer in time" if isinstance(cause, TimeoutError) else str(cause)
        text = f"{place(settings)} does not answer: {reason}"
        raise Unreachable(error("database.away", text, CAUSES.get(number, FALLBACK))) from None
    return [ok("database.version", f"{row.version if row else 'an unknown version'} at {place(settings)}")]


async def run_connections(database: Database, settings: Settings) -> list[Finding]:
    """Whether the server allows as many connections as the workers may open."""
    allowed = await database.one(catalogue.connections_allowed)
    if allowed is None or not allowed.in_all:
        return []
    if fault := allowed.too_few(settings.api_workers, settings.db_pool_max):
        advice = "make DB_POOL_MAX smaller, or raise max_connections; the game server needs some of them too"
        return [warning("database.connections", f"too few connections: {fault}", advice)]
    most = settings.api_workers * settings.db_pool_max
    return [ok("database.connections", f"at most {most} of the {allowed.in_all} connections it allows are opened")]


async def run_privileges(database: Database) -> list[Finding]:
    """Whether its user may write. Neither is wrong: all but set_player_info needs to read alone."""
    found = {row.privilege.upper() for row in await database.all(catalogue.privileges)}
    writes = [name for name in WRITES if name in found or "ALL PRIVILEGES" in found]
    if writes:
        return [
            ok(
                "database.may-write",
                f"its user may also {', '.join(writes)}; all but set_player_info needs to read alone",
            )
        ]
    if "SELECT" not in found:
        return [ok("database.rights-unknown", "what its user may do comes from a role, and was not looked into")]
    return [
        ok("database.read-only", "its user may read and nothing else, which is enough but for set_player_info")
    ]
