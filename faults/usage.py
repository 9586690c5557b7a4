"""What the processes of a service hold: files, connections to the database, memory."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tests.support.processes import Process

PAGE = os.sysconf("SC_PAGE_SIZE")
MIB = 2**20


class Usage(NamedTuple):
    """What all processes of a service hold. `files` has sockets too; `memory` is in MiB."""

    files: int
    connections: int
    memory: float


def usage(service: Process, database_port: int) -> Usage:
    """Return what the processes of a service hold. `connections` are those to that port, of any host."""
    files, memory = 0, 0.0
    sockets: set[str] = set()
    for process in family(service.pid):
        with suppress(OSError):
            memory += int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE / MIB
            for descriptor in Path(f"/proc/{process}/fd").iterdir():
                files += 1
                with suppress(OSError):
                    sockets |= set(re.findall(r"socket:\[(\d+)\]", os.readlink(descriptor)))
    return Usage(files, len(sockets & _connected_to(database_port)), round(memory, 1))


def family(pid: int) -> Iterator[int]:
    """Yield the id of a process and those of its children, and of theirs."""
    yield pid
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                yield from family(int(child))


def _connected_to(port: int) -> set[str]:
    """Return the inodes of the sockets of this machine that are connected to the port."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {row[9] for row in rows if int(row[2].rpartition(":")[2], 16) == port}
