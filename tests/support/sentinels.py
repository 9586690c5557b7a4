"""Redis servers that sentinels watch: a primary, a replica, and three sentinels, of which two must agree."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import redis
from redis import RedisError

from tests.support import install
from tests.support.clusters import wait
from tests.support.processes import Process, free_port

SERVICE = "mymaster"
# Seconds after which a server counts as down.
DOWN_AFTER = 0.8


class Watched(NamedTuple):
    """The URL of the service, and its servers: the first primary and the replica."""

    url: str
    primary: Process
    replica: Process


@contextmanager
def watched() -> Iterator[Watched]:
    """Run the servers and the sentinels. Raises CannotInstall."""
    binary = install.require(install.REDIS)
    with tempfile.TemporaryDirectory(prefix="apidot-") as name, ExitStack() as stack:
        folder = Path(name)
        ports = [free_port() for _ in range(5)]

        def start(number: int, *arguments: str) -> Process:
            command = [binary, *arguments, "--port", str(ports[number]), "--bind", "127.0.0.1", "--dir", name]
            log = folder / f"log{number}"
            process = Process(command, ready=lambda: _answers(ports[number]), log=log)
            return stack.enter_context(process)

        primary = start(0, "--save", "")
        replica = start(1, "--save", "", "--replicaof", f"127.0.0.1 {ports[0]}")
        for number in (2, 3, 4):
            file = folder / f"sentinel{number}.conf"
            file.write_text(
                f"sentinel monitor {SERVICE} 127.0.0.1 {ports[0]} 2\n"
                f"sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER * 1000:.0f}\n"
                f"sentinel failover-timeout {SERVICE} 3000\n"
            )
            start(number, str(file), "--sentinel")
        _wait_until_known(ports[2:])
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports[2:])
        yield Watched(f"redis+sentinel://{hosts}/{SERVICE}/0", primary, replica)


def _answers(port: int) -> bool:
    try:
        with redis.Redis(port=port, socket_timeout=5) as client:
            return bool(client.ping())
    except RedisError:
        return False


def _wait_until_known(sentinels: list[int]) -> None:
    """Wait until each sentinel knows the replica and the others."""

    def known(port: int) -> bool:
        with redis.Redis(port=port, socket_timeout=5, decode_responses=True) as client:
            state = client.sentinel_master(SERVICE)
        return int(state["num-slaves"]) == 1 and int(state["num-other-sentinels"]) == 2

    wait(lambda: all(known(port) for port in sentinels), 20)
