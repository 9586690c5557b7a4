"""The machine: its cores, which processes run on which, and what a process uses of them."""

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
    """The cores that only the measured server runs on, and those of all other processes."""

    server: set[int]
    others: set[int]

    @classmethod
    def of_this_machine(cls) -> "Cores":
        """Give the first available core to the server. If it is the only one, it is shared."""
        first, *rest = sorted(os.sched_getaffinity(0))
        return cls({first}, set(rest) or {first})


def taskset(cores: set[int]) -> list[str]:
    """Return the prefix that makes a command run on these cores only. Raise CannotInstall."""
    return [install.require(install.TASKSET), "--cpu-list", ",".join(map(str, sorted(cores)))]


def pin(pid: int, cores: set[int]) -> None:
    """Restrict a running process, with all its threads, to these cores."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        # A thread may have ended in the meantime.
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(task.name), cores)


class Usage(NamedTuple):
    """What a program has used until the time `at`: CPU time in seconds, and memory in MiB."""

    at: float
    cpu: float
    memory: float


def usage(pid: int) -> Usage:
    """Return the CPU time of the session that a process leads, and the memory of that process alone."""
    cpu = memory = 0.0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):
            # The name in parentheses may contain spaces. The numbers follow it (proc(5)).
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == pid:
                cpu += (int(fields[11]) + int(fields[12])) / TICKS
                memory += int(fields[21]) * PAGE / MIB if int(entry.name) == pid else 0
    return Usage(time.monotonic(), cpu, memory)


def cpu_percent(before: Usage, after: Usage) -> float:
    """Return the CPU time between two measurements, in percent of one core."""
    return 100 * (after.cpu - before.cpu) / max(after.at - before.at, 1e-9)


def description() -> str:
    """Return the processor and the version of Python."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = names[0].partition(":")[2].strip() if names else platform.machine()
    return f"{len(os.sched_getaffinity(0))} × {model}, Python {platform.python_version()}"
