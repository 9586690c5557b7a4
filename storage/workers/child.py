"""The program of a worker process: `child.py SCRIPT MEGABYTES SECONDS`.

SCRIPT is a Python file whose `open_worker()` returns a function from a job to its reply, both bytes. Jobs arrive
on standard input, replies go to standard output, each after its length in four bytes. The first reply is sent
before any job: READY, or MISSING if a library of SCRIPT is not installed. The process may use MEGABYTES of memory,
and take SECONDS for a job.

Any Python from 3.9 on runs this file as a script, so it imports nothing of this project.
"""

from __future__ import annotations

import resource
import runpy
import signal
import sys

READY = b"ready"
MISSING = b"missing"


def confine(megabytes: int) -> None:
    """Limit the memory of this process, and forbid it to write files."""
    resource.setrlimit(resource.RLIMIT_AS, (megabytes * 2**20, megabytes * 2**20))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def receive() -> bytes | None:
    """Return the next job, or None if the service has closed standard input or has ended."""
    length = sys.stdin.buffer.read(4)
    return sys.stdin.buffer.read(int.from_bytes(length, "big")) if length else None


def send(reply: bytes) -> None:
    sys.stdout.buffer.write(len(reply).to_bytes(4, "big") + reply)
    sys.stdout.buffer.flush()


def main() -> None:
    """Reply to jobs until there are no more."""
    script, megabytes, seconds = sys.argv[1:]
    try:
        reply_to = runpy.run_path(script)["open_worker"]()
    except ImportError:
        send(MISSING)
        return
    confine(int(megabytes))
    send(READY)
    while (job := receive()) is not None:
        # If the service has ended, nobody else would stop a job that never ends. The process has one thread, so
        # this limits its CPU time too.
        signal.setitimer(signal.ITIMER_REAL, float(seconds))
        reply = reply_to(job)
        signal.setitimer(signal.ITIMER_REAL, 0)
        send(reply)


if __name__ == "__main__":
    main()
