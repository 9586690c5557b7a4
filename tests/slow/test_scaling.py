"""The example of docs/scaling.md: two hosts, a primary behind HAProxy, a replica, and a Redis with sentinels."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from tests.conftest import ServiceClient, running, signed
from tests.support import clients, clusters, sentinels
from tests.support.clusters import Node, wait
from tests.support.haproxy import HAProxy, haproxy
from tests.support.processes import Process
from tests.support.sentinels import Watched

# Neither one of those whose profiles the clients change, nor on a page that they compare.
PLAYER = clusters.PLAYERS[-1] + 1


class Example(NamedTuple):
    """What runs."""

    hosts: list[ServiceClient]
    processes: list[Process]
    primary: Node
    replica: Node
    balancer: HAProxy
    redis: Watched


@contextmanager
def example() -> Iterator[Example]:
    with (
        clusters.primary_and_replica() as (primary, replica),
        haproxy(primary.port, replica.port) as balancer,
        sentinels.watched() as redis,
        ExitStack() as stack,
    ):
        primary.execute("SET GLOBAL rpl_semi_sync_master_enabled = 0", "GRANT REPLICA MONITOR ON *.* TO apidot")
        replica.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 1")
        primary.execute(f"UPDATE users SET api_key = '{clusters.key(PLAYER)}' WHERE id = {PLAYER}")
        settings = clusters.settings("mysql", balancer.primary) | {
            "database_replica_url": clusters.settings("mysql", replica.port)["database_url"],
            "redis_url": redis.url,
            "cache": "true",
            "rate_limit": "0.01",
            "rate_limit_burst": "50",
            "rate_limit_exempt": "127.0.0.1",
            "trusted_proxies": "127.0.0.1",
        }
        services = [stack.enter_context(running(**settings)) for _ in range(2)]
        for service in services:
            wait(lambda service=service: "Redis, for changes" not in service.process.output())  # type: ignore[misc]
        yield Example(
            [service.client for service in services],
            [service.process for service in services],
            primary,
            replica,
            balancer,
            redis,
        )


def change(host: ServiceClient, text: str) -> None:
    key = signed(clusters.key(PLAYER))
    answer = host.put("/v1/set_player_info", json={"userpage_content": text}, headers=key)
    assert answer.status_code == 200, answer.text


def shown(host: ServiceClient) -> object:
    answer = host.get(f"/v1/get_player_info?scope=info&id={PLAYER}")
    return answer.json()["player"]["info"]["userpage_content"]


def old_answers(hosts: list[ServiceClient], changes: int, name: str) -> int:
    """Change a profile at one host, read it at the other 50 ms later, and count the old answers."""
    old = 0
    for number in range(changes):
        change(hosts[number % 2], f"{name} {number}")
        time.sleep(0.05)
        old += shown(hosts[(number + 1) % 2]) != f"{name} {number}"
    return old


def allowed(hosts: list[ServiceClient], address: str) -> int:
    """Send 120 requests in turn to both hosts. Return how many are allowed."""
    headers = {"X-Forwarded-For": address}
    answers = [hosts[number % 2].get("/v1/get_player_count", headers=headers) for number in range(120)]
    return sum(1 for answer in answers if answer.status_code == 200)


def test_the_example_of_the_documentation() -> None:
    with example() as running:
        hosts = running.hosts
        assert old_answers(hosts, 200, "before") == 0
        assert 50 <= allowed(hosts, "192.0.2.77") <= 52
        statuses = [
            hosts[number % 2].get(
                "/v1/get_friends", headers=signed(f"wrong {number}") | {"X-Forwarded-For": "192.0.2.78"}
            )
            for number in range(40)
        ]
        assert [answer.status_code for answer in statuses] == [401] * 20 + [429] * 20

        # The sentinels fail over: in between, and afterwards, no old answer, and no failure.
        def fail_over() -> None:
            running.redis.primary.kill()
            assert old_answers(hosts, 20, "failing over") == 0
            time.sleep(5)

        session = clients.run(str(hosts[0].base_url), fail_over)
        assert session.wrong() == []
        assert session.unavailable() == [], f"{session}"
        assert old_answers(hosts, 40, "after") == 0
        assert 50 <= allowed(hosts, "192.0.2.79") <= 52

        def kill_replica() -> None:
            running.replica.process.kill()
            time.sleep(3)
            running.replica.start()

        session = clients.run(str(hosts[1].base_url), kill_replica)
        assert session.wrong() == []
        assert session.unavailable() == [], f"{session}"
        assert old_answers(hosts, 40, "the end") == 0
