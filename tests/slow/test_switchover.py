"""A primary and its replica behind HAProxy change roles while clients read and change profiles."""

from collections.abc import Callable, Mapping

import pytest

from tests.conftest import running
from tests.support import clients, clusters
from tests.support.clusters import Node
from tests.support.haproxy import haproxy

DRIVERS = pytest.mark.parametrize("driver", ["mysql", "mysql+asyncmy"])
MOVE = "set server primary/b state ready; set server primary/a state maint"
# Connections to the old primary stay open: the service has to leave it by itself.
STAY = {" on-marked-down shutdown-sessions": ""}


@DRIVERS
@pytest.mark.parametrize("changes", [{}, STAY], ids=["sessions end", "sessions stay"])
def test_a_planned_switchover(driver: str, changes: Mapping[str, str]) -> None:
    def demote(old: Node, new: Node) -> None:
        old.execute("SET GLOBAL read_only = 1")
        ((position,),) = old.rows("SELECT @@gtid_binlog_pos")
        assert new.rows(f"SELECT MASTER_GTID_WAIT('{position}', 10)") == [(0,)]

    assert_switched(driver, demote, changes)


@DRIVERS
def test_the_primary_is_killed(driver: str) -> None:
    assert_switched(driver, lambda old, _: old.kill(), {})


def assert_switched(driver: str, begin: Callable[[Node, Node], None], changes: Mapping[str, str]) -> None:
    with (
        clusters.primary_and_replica() as (old, new),
        haproxy(old.port, new.port, changes) as balancer,
        running(**clusters.settings(driver, balancer.primary)) as (client, _),
    ):

        def switch() -> None:
            begin(old, new)
            clusters.promote(new)
            balancer.command(MOVE)

        session = clients.run(str(client.base_url), switch)
        assert session.wrong() == []
        assert len(session.unavailable()) <= 10, f"{session}"
        assert session.unavailable(session.ended + 2) == []
        assert session.problems(clusters.made(new), clusters.stored(new)) == []
        # Every answer came from the new primary in the end.
        assert clusters.connections(new) > 0
