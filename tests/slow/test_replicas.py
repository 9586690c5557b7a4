"""A primary with a replica that is read from: it lags behind, is killed and comes back while clients work."""

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.conftest import ServiceClient, running, signed
from tests.support import clients, clusters, servers
from tests.support.clusters import PLAYERS, Node, wait

DRIVERS = pytest.mark.parametrize("driver", ["mysql", "mysql+asyncmy"])
PLAYER = PLAYERS[0]


@contextmanager
def replicated(
    driver: str, *, count: int = 1, **settings: str
) -> Iterator[tuple[Node, Node, list[ServiceClient]]]:
    """Run services that read from a replica. Yield the primary, the replica and a client of each service."""
    with clusters.primary_and_replica() as (primary, replica), ExitStack() as stack:
        # The primary must not wait for a replica that is killed.
        primary.execute("SET GLOBAL rpl_semi_sync_master_enabled = 0", "GRANT REPLICA MONITOR ON *.* TO apidot")
        # What the replica has made must not be lost when it is killed.
        replica.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 1")
        options = clusters.settings(driver, primary.port) | settings
        options["database_replica_url"] = clusters.settings(driver, replica.port)["database_url"]
        services = [stack.enter_context(running(**options)).client for _ in range(count)]
        for service in services:
            wait(lambda service=service: reads_from(replica, service))  # type: ignore[misc]
        yield primary, replica, services


def reads_from(node: Node, service: ServiceClient) -> bool:
    """Return whether a server runs the statements of most requests."""
    before = int(node.status("Com_select") or 0)
    for _ in range(5):
        # Not in the cache.
        service.get(
            f"/v1/get_player_most_played?id=3&limit={random.randint(1, 100)}&offset={random.randint(1, 999)}"
        )
    return int(node.status("Com_select") or 0) - before >= 5


def is_alive(node: Node) -> bool:
    return bool(node.status("Uptime"))


def change(service: ServiceClient, text: str) -> None:
    key = clusters.key(PLAYER)
    answer = service.put("/v1/set_player_info", json={"userpage_content": text}, headers=signed(key))
    assert answer.status_code == 200, answer.text


def shown(service: ServiceClient) -> object:
    answer = service.get(f"/v1/get_player_info?scope=info&id={PLAYER}")
    return answer.json()["player"]["info"]["userpage_content"]


def delay(replica: Node, seconds: int) -> None:
    """Let the replica make each change so many seconds later than the primary."""
    replica.execute("STOP SLAVE", f"CHANGE MASTER TO MASTER_DELAY={seconds}", "START SLAVE")


@DRIVERS
def test_the_replica_is_killed_and_comes_back(driver: str) -> None:
    with replicated(driver) as (primary, replica, (service,)):

        def kill_and_start() -> None:
            replica.process.kill()
            time.sleep(3)
            replica.start()
            wait(lambda: is_alive(replica))

        session = clients.run(str(service.base_url), kill_and_start)
        assert session.wrong() == []
        assert session.unavailable() == [], f"{session}"
        assert session.problems(clusters.made(primary), clusters.stored(primary)) == []
        wait(lambda: reads_from(replica, service))


@DRIVERS
def test_the_replica_hangs(driver: str) -> None:
    with replicated(driver, db_statement_timeout="2") as (_, replica, (service,)):

        def hang() -> None:
            replica.pause()
            time.sleep(4)
            replica.resume()

        session = clients.run(str(service.base_url), hang)
        assert session.wrong() == []
        assert session.unavailable() == [], f"{session}"
        wait(lambda: reads_from(replica, service))


def test_a_replica_that_is_too_far_behind_is_not_used() -> None:
    with replicated("mysql", replica_max_lag="2") as (_, replica, (service,)):
        delay(replica, 30)
        for _ in range(4):
            change(service, "far behind")
            time.sleep(1)
        assert not reads_from(replica, service)
        replica.execute("STOP SLAVE")
        wait(lambda: not reads_from(replica, service))
        delay(replica, 0)
        wait(lambda: reads_from(replica, service), 20)


@pytest.mark.parametrize("with_redis", [False, True])
def test_nobody_sees_an_older_profile_than_the_last_one(with_redis: bool) -> None:
    """A replica that is three seconds behind is read from, but not about profiles that have just changed."""
    with ExitStack() as stack:
        more = {}
        if with_redis:
            # Two hosts share a Redis: what one changes, the other shows.
            more = {"redis_url": stack.enter_context(servers.redis(private=True)).url}
        _, replica, services = stack.enter_context(
            replicated("mysql", count=2 if with_redis else 1, cache="true", **more)
        )
        delay(replica, 3)
        old = 0
        for number in range(30):
            change(services[0], f"page {number}")
            time.sleep(0.05)
            old += shown(services[-1]) != f"page {number}"
            time.sleep(0.3)
        assert old == 0
        assert reads_from(replica, services[-1])
        time.sleep(8)
        # The replica is read from about profiles too, and has the last one.
        before = int(replica.status("Com_select"))
        assert shown(services[-1]) == "page 29"
        assert int(replica.status("Com_select")) > before


def test_a_server_that_is_no_replica_is_not_used() -> None:
    with clusters.primary_and_replica() as (primary, replica):
        options = clusters.settings("mysql", primary.port)
        options["database_replica_url"] = options["database_url"].replace(str(primary.port), str(replica.port))
        with running(**options) as (client, process):
            # The user may not see how far it is behind.
            wait(lambda: "may not see how far it is behind" in process.output())
            assert not reads_from(replica, client)
        primary.execute("GRANT REPLICA MONITOR ON *.* TO apidot")
        with running(**options) as (client, process):
            wait(lambda: reads_from(replica, client))
            replica.execute("STOP SLAVE", "RESET SLAVE ALL")
            wait(lambda: "is not used" in process.output())
            assert not reads_from(replica, client)
