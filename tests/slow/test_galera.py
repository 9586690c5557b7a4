"""A Galera cluster behind HAProxy loses a node while clients read and change profiles."""

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import running
from tests.support import clients, clusters
from tests.support.clusters import Node
from tests.support.haproxy import haproxy
from tests.support.servers import MariaDB

DRIVERS = pytest.mark.parametrize("driver", ["mysql", "mysql+asyncmy"])


@pytest.fixture(scope="module")
def nodes(mariadb: MariaDB) -> Iterator[tuple[Node, Node]]:
    with clusters.galera() as nodes:
        yield nodes


@DRIVERS
@pytest.mark.parametrize("fault", [Node.kill, Node.stop, clusters.isolate])
def test_a_node_is_lost(nodes: tuple[Node, Node], driver: str, fault: Callable[[Node], None]) -> None:
    stays, lost = nodes

    def lose() -> None:
        assert clusters.connections(lost) > 0
        fault(lost)

    # HAProxy only checks that the port accepts connections, so it goes on offering a node that is isolated.
    with (
        haproxy(galera=(stays.port, lost.port), primary=(1, 1)) as balancer,
        running(**clusters.settings(driver, balancer.galera)) as (client, _),
    ):
        session = clients.run(str(client.base_url), lose)
    _restore(lost, fault)

    assert session.wrong() == []
    assert len(session.unavailable()) <= 10, session
    assert session.unavailable(session.ended + 2) == []
    assert session.problems(clusters.made(stays), clusters.stored(stays)) == []
    assert clusters.made(lost) == clusters.made(stays)


@DRIVERS
def test_the_only_node_that_is_offered_is_isolated(nodes: tuple[Node, Node], driver: str) -> None:
    stays, lost = nodes
    with haproxy(galera=(stays.port, lost.port), primary=(1, 1)) as balancer:
        balancer.command("set server galera/a state maint")

        def move() -> None:
            clusters.isolate(lost)
            balancer.command("set server galera/a state ready; set server galera/b state maint")

        with running(**clusters.settings(driver, balancer.galera)) as (client, _):
            session = clients.run(str(client.base_url), move)
    clusters.isolate(lost, isolated=False)

    assert session.wrong() == []
    # Until HAProxy offers the other node, nothing can be answered.
    assert session.unavailable(session.ended + 2) == []
    assert session.problems(clusters.made(stays), clusters.stored(stays)) == []
    assert clusters.made(lost) == clusters.made(stays)


def _restore(node: Node, fault: Callable[[Node], None]) -> None:
    if fault is clusters.isolate:
        clusters.isolate(node, isolated=False)
        return
    node.stop()
    node.start_anew()
