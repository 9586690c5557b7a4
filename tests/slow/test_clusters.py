"""Clusters behind HAProxy lose a server, or switch over, while clients read and change profiles."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, ExitStack

import pytest

from tests.conftest import running
from tests.support import clients, clusters
from tests.support.clusters import Node
from tests.support.haproxy import HAProxy, haproxy

DRIVERS = pytest.mark.parametrize("driver", ["mysql", "mysql+asyncmy"])


@pytest.fixture
def galera() -> Iterator[tuple[Node, Node]]:
    with clusters.galera() as nodes:
        yield nodes


@contextmanager
def served(driver, port, **settings):
    url = f"{driver}://apidot:{clusters.PASSWORD}@127.0.0.1:{port}/{clusters.DATABASE}"
    with running(database_url=url, cache="off", access_log="false") as (client, process):
        yield str(client.base_url), process


@pytest.mark.parametrize("how", ["killed", "stopped", "isolated"])
@DRIVERS
def test_galera(galera, driver, how) -> None:
    a, b = galera
    with haproxy(galera=(a.port, b.port), primary=(a.port, b.port)) as balancer:
        with served(driver, balancer.galera) as (url, process):
            def kill():
                os.kill(b.process.pid, signal.SIGKILL)
            def isolate():
                b.execute("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=1'")
                clusters.wait(lambda: b.status("wsrep_cluster_status") == "non-Primary")
            got = clients.run(url, {"killed": kill, "isolated": isolate, "stopped": b.stop}[how])
            print(driver, how, got)
            print(process.output(8))
    if how != "isolated":
        b.stop()
    else:
        b.execute("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=0'")
        clusters.wait(lambda: clusters.synced(b))
    made = clusters.made(a)
    print(got.problems(made)); print(got.wrong()[:20])
    if how == 'isolated': assert made == clusters.made(b)
    a.execute("DELETE FROM made")

@pytest.mark.parametrize("how", ["moved", "stays", "killed"])
@DRIVERS
def test_switch(driver, how) -> None:
    changes = {" on-marked-down shutdown-sessions": ""} if how == "stays" else {}
    with clusters.primary_and_replica() as (a, b), haproxy(galera=(a.port, b.port), primary=(a.port, b.port), changes=changes) as balancer:
        with served(driver, balancer.primary) as (url, process):
            def act():
                if how == "killed":
                    os.kill(a.process.pid, signal.SIGKILL)
                else:
                    a.execute("SET GLOBAL read_only = 1")
                    position = a.rows("SELECT @@gtid_binlog_pos")[0][0]
                    clusters.wait(lambda: b.rows("SELECT @@gtid_slave_pos")[0][0] == position)
                clusters.wait(lambda: clusters.caught_up(b))
                b.execute("STOP SLAVE", "SET GLOBAL read_only = 0")
                print(balancer.command("set server primary/b state ready", "set server primary/a state maint"))
            got = clients.run(url, act)
            print(driver, how, got)
            print(len(got.unavailable(got.ended)), len(got.unavailable(got.ended+2)))
            print(process.output(10))
            print(got.problems(clusters.made(b))); print(got.wrong()[:20])
