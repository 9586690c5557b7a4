"""Ways to the database that can be interrupted: a network of its own, and a relay that stops."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.support.install import PATH
from tests.support.processes import Process, free_port

ROOT = Path(__file__).resolve().parent.parent


class Link(NamedTuple):
    """A way to the database: where it begins, and functions that interrupt it and let it work again."""

    host: str
    port: int
    cut: Callable[[], None]
    restore: Callable[[], None]


@contextmanager
def relay(socket: str) -> Iterator[Link]:
    """A relay to the unix socket of the database.

    Interrupted, it passes no bytes on. It still accepts a few connections, from which no greeting comes; further
    ones get no response at all.
    """
    with _relay(socket, []) as (process, port):
        yield Link("127.0.0.1", port, process.pause, process.resume)


@contextmanager
def network(socket: str) -> Iterator[Link]:
    """A relay in a network of its own. Interrupted, the network loses every packet.

    Without the privileges to make a network, this is `relay`.
    """
    if not can_make_networks():
        with relay(socket) as link:
            yield link
        return
    with _relay(socket, ["unshare", "--net"]) as (process, port):
        yield _connect(process.pid, port)


def can_make_networks() -> bool:
    """Return whether this user may make a network."""
    found = all(shutil.which(program, path=PATH) for program in ("ip", "unshare", "nsenter"))
    return found and os.geteuid() == 0 and subprocess.run(["unshare", "--net", "true"]).returncode == 0


@contextmanager
def _relay(socket: str, prefix: list[str]) -> Iterator[tuple[Process, int]]:
    port = free_port()
    command = [
        *prefix,
        sys.executable,
        "-m",
        "faults.relay",
        "0.0.0.0" if prefix else "127.0.0.1",
        str(port),
        socket,
    ]
    with tempfile.TemporaryDirectory(prefix="apidot-") as folder:
        log = Path(folder, "log")
        process = Process(command, ready=lambda: "listening" in log.read_text(), log=log, folder=ROOT)
        with process:
            yield process, port


def _connect(pid: int, port: int) -> Link:
    """Connect this machine with the network that the process is in. The connection ends with the process."""
    outside = f"apidot{pid}"
    # A network of four addresses for each process.
    number = pid % 16384
    prefix, first = f"10.213.{number >> 6}", (number & 63) * 4
    here, there = f"{prefix}.{first + 1}", f"{prefix}.{first + 2}"
    inside = ["nsenter", f"--net=/proc/{pid}/ns/net"]
    _run("ip", "link", "add", outside, "type", "veth", "peer", "name", "inside", "netns", str(pid))
    _run("ip", "address", "add", f"{here}/30", "dev", outside)
    _run("ip", "link", "set", outside, "up")
    _run(*inside, "ip", "address", "add", f"{there}/30", "dev", "inside")
    _run(*inside, "ip", "link", "set", "inside", "up")
    link = re.search(r"link/ether (\S+)", _run(*inside, "ip", "link", "show", "inside"))
    assert link
    # Otherwise the kernel would soon notice that nobody has the address, and connecting would fail at once.
    _run("ip", "neighbour", "replace", there, "lladdr", link[1], "nud", "permanent", "dev", outside)

    def switch(state: str) -> None:
        _run(*inside, "ip", "link", "set", "inside", state)

    return Link(there, port, lambda: switch("down"), lambda: switch("up"))


def _run(*command: str) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout.strip()}")
    return done.stdout
