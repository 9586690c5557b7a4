"""A part of the tests on MySQL 9 and MariaDB 11.8, which most machines that run the tests do not have."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest

from api.dependencies import database_state
from config.types import Encryption
from storage.database.database import Database
from tests.conftest import ROOT, connected
from tests.support import conformance, mariadbd, mysqld, servers
from tests.support.servers import MariaDB

KINDS = {"mysql": mysqld.MYSQL, "mariadb": mysqld.MARIADB}
# sid may have a later MySQL by now.
VERSIONS = {"mysql": r"(9|\d\d)\.\d+\.\d+(?!.*MariaDB)", "mariadb": r"11\.8\.\d+-MariaDB"}
# Every recorded request, the changes of profiles, `check`, and rows of every type.
TESTS = (
    *("api/test_recorded.py", "api/v1/test_profile.py", "checks/test_check.py"),
    *("storage/database/test_rows.py", "storage/database/test_data_traps.py"),
)


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[MariaDB]:
    """Each of the servers, with the user `tester`."""
    with servers.mariadb(kind=KINDS[request.param]) as server:
        with closing(mariadbd.connect(server.url)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT VERSION()")
            ((version,),) = cursor.fetchall()
            assert re.match(VERSIONS[request.param], version)
            cursor.execute("CREATE USER tester IDENTIFIED BY 'a:password'")
            cursor.execute("GRANT ALL ON *.* TO tester WITH GRANT OPTION")
        yield server


def test_the_tests_pass(server: MariaDB) -> None:
    url = f"mysql://tester:a%3Apassword@{server.url.rpartition('@')[2]}"
    files = [str(ROOT / "tests" / file) for file in TESTS]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:xdist", "-p", "no:cacheprovider", *files]
    outcome = subprocess.run(
        [*command, "-k", "not sqlite"],
        env={**os.environ, "TEST_DATABASE_URL": url},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert outcome.returncode == 0, outcome.stdout
    assert " passed" in outcome.stdout


@pytest.mark.parametrize("driver", ["mysql", "mysql+asyncmy"])
@pytest.mark.parametrize(
    ("encryption", "expected"),
    [
        ("off", "this connection was not encrypted, and the server may require that"),
        ("preferred", "TLSv1."),
        ("required", "TLSv1."),
        ("verify", "the server's certificate is not signed by an authority"),
    ],
)
def test_a_server_that_makes_its_own_certificate(
    server: MariaDB, driver: str, encryption: Encryption, expected: str
) -> None:
    async def connect() -> str:
        async with connected(Database(url, encryption=encryption)) as database:
            state = await database_state(database)
            link = await database.link() if state.state == "up" else None
            return f"{link}" if link else state.description

    url = f"{driver}://tester:a%3Apassword@{server.url.rpartition('@')[2]}{conformance.TEMPLATE}"
    with closing(mariadbd.connect(server.url)) as connection, connection.cursor() as cursor:
        cursor.execute("SET GLOBAL require_secure_transport = ON")
        try:
            assert expected in asyncio.run(connect())
        finally:
            cursor.execute("SET GLOBAL require_secure_transport = OFF")
