"""Faults of a MySQL 9, which has other error numbers and time limits than MariaDB."""

from collections.abc import Iterator

import pytest

from tests.storage.database.test_faults import (
    test_a_change_answered_with_503_is_not_made_later,
    test_a_connection_killed_during_a_read,
    test_a_slow_statement_alone_pauses_nothing,
    test_connections_killed_while_idle,
)
from tests.support import conformance, mysqld, servers
from tests.support.servers import MariaDB

__all__ = [
    "test_a_change_answered_with_503_is_not_made_later",
    "test_a_connection_killed_during_a_read",
    "test_a_slow_statement_alone_pauses_nothing",
    "test_connections_killed_while_idle",
]


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDB]:
    """A MySQL with the recorded world, in place of the MariaDB of the file that these tests are from."""
    with servers.mariadb(kind=mysqld.MYSQL) as server:
        conformance.load(server.database("recorded"))
        yield server
