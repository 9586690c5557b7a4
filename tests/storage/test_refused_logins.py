"""A database that lets this service in no more: the database is away, and everybody is told why in plain words."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.api.observability.test_metrics import metrics_of, total
from tests.conftest import Running, running
from tests.storage.test_outages import DRIVERS, NOT_ANSWERED, QUICK, assert_unavailable, info, recovered
from tests.support import conformance, mariadbd, servers
from tests.support.checks import check
from tests.support.servers import MariaDB

ACCOUNT = "'service'@'%'"
LOCKED = "the account of the database user is locked"
EXPIRED = "the password of the database user has expired"


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDB]:
    with servers.mariadb(private=True) as server:
        conformance.load(server.database("recorded"))
        yield server


@pytest.fixture
def account(server: MariaDB) -> Iterator[str]:
    """The URL of the recorded world, for a user of its own."""
    statements = [f"DROP USER IF EXISTS {ACCOUNT}", f"CREATE USER {ACCOUNT} IDENTIFIED BY 'geheim'"]
    mariadbd.execute(server.url, *statements, f"GRANT SELECT ON recorded.* TO {ACCOUNT}")
    yield f"mysql://service:geheim@{server.url.rpartition('@')[2]}recorded"
    mariadbd.execute(server.url, "SET GLOBAL disconnect_on_expired_password = OFF")


def kill_all(server: MariaDB) -> None:
    with closing(mariadbd.connect(server.url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE user = 'service'")
        for row in cursor.fetchall():
            cursor.execute(f"KILL {row[0]}")


def database_up(service: Running) -> float:
    return total(metrics_of(service.client), "apidot_up", neighbour="database")


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize(
    ("statements", "reason", "back"),
    [
        ([f"ALTER USER {ACCOUNT} ACCOUNT LOCK"], LOCKED, f"ALTER USER {ACCOUNT} ACCOUNT UNLOCK"),
        (
            ["SET GLOBAL disconnect_on_expired_password = ON", f"ALTER USER {ACCOUNT} PASSWORD EXPIRE"],
            EXPIRED,
            f"ALTER USER {ACCOUNT} IDENTIFIED BY 'geheim'",
        ),
        ([f"ALTER USER {ACCOUNT} PASSWORD EXPIRE"], EXPIRED, f"ALTER USER {ACCOUNT} IDENTIFIED BY 'geheim'"),
        (
            [f"ALTER USER {ACCOUNT} IDENTIFIED BY 'other'"],
            "Access denied for user 'service'",
            f"ALTER USER {ACCOUNT} IDENTIFIED BY 'geheim'",
        ),
        (
            [f"REVOKE ALL ON recorded.* FROM {ACCOUNT}"],
            "to database 'recorded'",
            f"GRANT SELECT ON recorded.* TO {ACCOUNT}",
        ),
    ],
    ids=["locked", "expired", "expired-later", "password", "database"],
)
def test_the_database_is_away_and_why(
    server: MariaDB, account: str, driver: str, statements: list[str], reason: str, back: str, tmp_path: Path
) -> None:
    with running(database_url=account.replace("mysql://", f"{driver}://"), **QUICK) as service:
        recovered(service.client)
        assert database_up(service) == 1
        mariadbd.execute(server.url, *statements)
        kill_all(server)
        for _ in range(3):
            assert_unavailable(info(service.client, 3), NOT_ANSWERED)
        assert database_up(service) == 0
        ready = service.client.get("/health/ready")
        assert ready.status_code == 503
        assert "geheim" not in ready.text + service.process.output()
        log = service.process.output()
        assert log.count("the database does not answer") == 1
        assert reason in log
        assert "player.sql does not answer" not in log
        findings = check(tmp_path, database_url=account)
        assert findings.codes("database") == {"database.away": "error"}
        assert reason in findings.text("database.away")
        mariadbd.execute(server.url, back)
        recovered(service.client)
        assert database_up(service) == 1


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_user_with_few_connections_has_those(server: MariaDB, account: str, driver: str) -> None:
    mariadbd.execute(server.url, f"ALTER USER {ACCOUNT} WITH MAX_USER_CONNECTIONS 1")
    with running(database_url=account.replace("mysql://", f"{driver}://"), **QUICK) as service:
        recovered(service.client)
        # The profile and the ranks are read at the same time, or one after the other.
        for _ in range(5):
            answer = service.client.get("/v1/get_player_info?scope=all&id=3")
            assert answer.status_code == 200, answer.text
        assert "the database does not answer" not in service.process.output()
