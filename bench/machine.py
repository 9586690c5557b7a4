"""The machine: its cores, who may run on which, and what a process takes of them."""

import os
import platform
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tests.support import install

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
MIB = 2**20


class Cores(NamedTuple):
    """Which cores the server has to itself, and which are everybody else's."""

    server: set[int]
    others: set[int]

    @classmethod
    def of_this_machine(cls) -> "Cores":
        """The first core that we may use is the server's; where there is only one, it is shared."""
        first, *rest = sorted(os.sched_getaffinity(0))
        return cls({first}, set(rest) or {first})


def on(cores: set[int]) -> list[str]:
    """What to put before a command so that it runs on these cores alone. Raises CannotInstall."""
    return [install.require(install.TASKSET), "--cpu-list", ",".join(map(str, sorted(cores)))]


def pin(pid: int, cores: set[int]) -> None:
    """Keeps a running process, with all its threads, on these cores."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        # A thread may have ended meanwhile.
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(task.name), cores)


class Taken(NamedTuple):
    """What a program has taken so far: seconds of processor time, by now, and MiB of memory it holds."""

    at: float
    cpu: float
    memory: float


def taken(pid: int) -> Taken:
    """What a program and its children have taken; all that is in the session which it leads counts."""
    cpu = memory = 0.0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):
            # The name in parentheses may hold spaces: the numbers are behind it.
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == pid:
                cpu += (int(fields[11]) + int(fields[12])) / TICKS
                # The program itself: its helpers are not what a limit of memory is set for.
                memory += int(fields[21]) * PAGE / MIB if int(entry.name) == pid else 0
    return Taken(time.monotonic(), cpu, memory)


def share(before: Taken, after: Taken) -> float:
    """Percent of one core, between two looks."""
    return 100 * (after.cpu - before.cpu) / max(after.at - before.at, 1e-9)


def description() -> str:
    """The processor and the Python, in a line."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = names[0].partition(":")[2].strip() if names else platform.machine()
    return f"{len(os.sched_getaffinity(0))} × {model}, Python {platform.python_version()}"
