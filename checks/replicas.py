"""Whether the replicas of the database are close enough behind to be read from."""

from api.startup import database_options, open_replica
from checks.findings import Finding, ok, warning
from config.settings import Settings
from domain.errors import CannotOpen

ADVICE = (
    "does it run and follow the database, and may its user see that? On MariaDB: GRANT REPLICA MONITOR ON *.*,"
    " on MySQL and before MariaDB 10.5: GRANT REPLICATION CLIENT ON *.*"
)


async def run(settings: Settings) -> list[Finding]:
    """Check each replica. Reads that one does not answer go elsewhere, so none of this is an error."""
    findings = []
    for url in settings.replicas:
        try:
            replica = open_replica(url, database_options(settings))
        except CannotOpen as missing:
            text, _, advice = str(missing).partition(": ")
            return [warning("replicas.driver", text, advice)]
        await replica.database.connect()
        try:
            reason = await replica.reason_against(settings.replica_max_lag)
        finally:
            await replica.database.disconnect()
        if reason is None:
            findings.append(ok("replicas.used", f"{replica.place} is close enough behind"))
        else:
            findings.append(warning("replicas.not-used", f"{replica.place} is not read from: {reason}", ADVICE))
    return findings
