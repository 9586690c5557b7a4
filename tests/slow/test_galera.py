"""A Galera cluster behind HAProxy loses a node while clients read and change profiles."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.conftest import running
from tests.support import clients, clusters
from tests.support.clusters import Node
from tests.support.haproxy import haproxy

DRIVERS = pytest.mark.parametrize("driver", ["mysql", "mysql+asyncmy"])


@pytest.fixture(scope="module")
def nodes() -> Iterator[tuple[Node, Node]]:
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
        restored(lost, fault),
        haproxy(stays.port, lost.port) as balancer,
        running(**clusters.settings(driver, balancer.galera)) as (client, _),
    ):
        session = clients.run(str(client.base_url), lose)
    assert len(session.unavailable()) <= 10, f"{session}"
    assert_nothing_lost(session, stays, lost)


@DRIVERS
def test_the_only_node_that_is_offered_is_isolated(nodes: tuple[Node, Node], driver: str) -> None:
    stays, lost = nodes
    with (
        restored(lost, clusters.isolate),
        haproxy(stays.port, lost.port) as balancer,
        running(**clusters.settings(driver, balancer.galera)) as (client, _),
    ):
        balancer.command("set server galera/a state maint")

        def move() -> None:
            clusters.isolate(lost)
            # Until HAProxy offers the other node, nothing can be answered.
            clusters.wait(lambda: client.get("/health/ready").status_code == 503)
            balancer.command("set server galera/a state ready; set server galera/b state maint")

        session = clients.run(str(client.base_url), move)
    assert session.unavailable() != []
    # A change may have reached the other node when its own node was cut off, and cannot be tried again elsewhere.
    assert_nothing_lost(session, stays, lost, may_be_made=True)


def assert_nothing_lost(session: clients.Session, stays: Node, lost: Node, *, may_be_made: bool = False) -> None:
    """`may_be_made` is whether a change that was answered with 503 may have been made."""
    assert session.wrong() == []
    assert session.unavailable(session.ended + 2) == []
    problems = session.problems(clusters.made(stays), clusters.stored(stays))
    assert [text for text in problems if not (may_be_made and text.endswith("made after a 503"))] == []
    assert clusters.made(lost) == clusters.made(stays)


@contextmanager
def restored(node: Node, fault: Callable[[Node], None]) -> Iterator[None]:
    """Make the node a part of the cluster again after the block, in which it has that fault."""
    try:
        yield
    finally:
        if fault is clusters.isolate:
            clusters.isolate(node, isolated=False)
        else:
            node.stop()
            node.start_anew()
