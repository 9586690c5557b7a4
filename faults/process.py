"""Faults of the machine and of the service's own processes."""

import os
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path

from PIL import Image

from faults import database
from faults.fault import Context, Fault, NeedsRoot
from faults.load import CHANGE_INTERVAL, Change, Kind, Outcome, Request
from faults.servers import Servers, polled
from faults.usage import family

# Seconds. uvicorn's supervisor asks each worker for a sign of life, and ends one that gives none for so long.
HEALTH_CHECK = 5.0
# The setting of faults that hang the event loop of a worker.
WATCHDOG = 3
# Seconds in which the supervisor notices that a worker has ended and starts another.
RESTART = 15.0
# Seconds in which a stop lets requests in flight finish, before it cuts them off.
GRACEFUL = 10.0
# Seconds before a stop: requests sent later may not have been received yet.
MARGIN = 0.25
# How many connections exhaust the file descriptors.
IDLE = 200
BOUNDARY = "boundary"


def picture() -> bytes:
    """Return a PNG."""
    content = BytesIO()
    Image.effect_noise((256, 256), 50).save(content, "PNG")
    return content.getvalue()


PICTURE = picture()


def set_avatar(servers: Servers, _: int) -> Request:
    """Return a request that changes the player's avatar."""
    head = 'Content-Disposition: form-data; name="avatar"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    body = f"--{BOUNDARY}\r\n{head}".encode() + PICTURE + f"\r\n--{BOUNDARY}--\r\n".encode()
    headers = {
        "Authorization": f"Bearer {servers.key}",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
    }
    return Request("/v1/set_avatar", "POST", headers, body)


@contextmanager
def small_disk(servers: Servers) -> Iterator[str]:
    """Make a file system of a few MiB with the data. Raise NeedsRoot."""
    if os.geteuid():
        raise NeedsRoot("only root can make a file system for it")
    folder = servers.data.parent / "disk"
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "apidot", str(folder)], check=True)
    try:
        for name in ("osr", "osu"):
            subprocess.run(["cp", "-r", str(servers.data / name), str(folder)], check=True)
        yield str(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def disk_full(context: Context) -> None:
    data = Path(context.settings.data_directory)
    filler = data / "filler"
    try:
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))
        time.sleep(context.seconds)
        # There may be one as long as an upload is under way.
        cleaned = polled(lambda: not list((data / "avatars").glob(".*.tmp")), CHANGE_INTERVAL * 3)
        context.notes["cleaned"] = cleaned is not None
    finally:
        filler.unlink()


def disk_was_full(context: Context, _: Sequence[Outcome], changes: Sequence[Change]) -> list[str]:
    """Find that a half-written avatar was left, or that the disk was not full."""
    problems = [] if context.notes["cleaned"] else ["a half-written avatar was left"]
    if all(change.outcome.kind is Kind.FRESH for change in changes):
        problems.append("every avatar was stored: the disk was not full")
    return problems


def descriptors_exhausted(context: Context) -> None:
    pid = context.service.process.pid
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (len(os.listdir(f"/proc/{pid}/fd")) + 10, limits[1]))
    idle = [connecting(context) for _ in range(IDLE)]
    deadline = time.monotonic() + context.seconds
    try:
        while time.monotonic() < deadline:
            # Those that the service has closed take the next free descriptor.
            for number, client in enumerate(idle):
                if is_closed(client):
                    client.close()
                    idle[number] = connecting(context)
            time.sleep(0.02)
    finally:
        for client in idle:
            client.close()
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)


def connecting(context: Context) -> socket.socket:
    """Return a connection to the service that sends nothing."""
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(("127.0.0.1", context.service.port))
    return client


def is_closed(client: socket.socket) -> bool:
    """Return whether the service has closed a connection."""
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def one_worker_killed(context: Context) -> None:
    context.notes["workers"] = len(context.service.ready_workers())
    os.kill(living(context)[0], signal.SIGKILL)


def one_worker_stopped(context: Context) -> None:
    ready = len(context.service.ready_workers())
    context.notes["workers"] = ready
    os.kill(living(context)[0], signal.SIGSTOP)
    polled(lambda: len(context.service.ready_workers()) > ready, RESTART + HEALTH_CHECK)


def one_worker_hung(context: Context) -> None:
    ready = len(context.service.ready_workers())
    context.notes["workers"] = ready
    with socket.create_connection(("127.0.0.1", context.service.port)) as client:
        client.sendall(b"GET /hang HTTP/1.1\r\nHost: localhost\r\n\r\n")
        polled(lambda: len(context.service.ready_workers()) > ready, RESTART + WATCHDOG)


def living(context: Context) -> list[int]:
    """Return the ids of the workers that are running."""
    running = set(family(context.service.process.pid))
    return [id for id in context.service.ready_workers() if id in running]


def worker_is_replaced(context: Context, _: Sequence[Outcome], __: Sequence[Change]) -> list[str]:
    """Find that no new worker is ready."""
    if polled(lambda: len(context.service.ready_workers()) > context.notes["workers"], RESTART) is None:
        return [f"no other worker was ready within {RESTART:g} s"]
    return []


def stopped_and_started(context: Context) -> None:
    tables = ", ".join(f"{table} WRITE" for (table,) in context.servers.rows("SHOW TABLES"))
    with database.executing(context.servers, f"LOCK TABLES {tables}"):
        # So that there are requests in flight.
        time.sleep(MARGIN * 4)
        context.notes["stop"] = time.monotonic()
        os.kill(context.service.process.pid, signal.SIGTERM)
        time.sleep(MARGIN)
    status = context.service.process.stop(GRACEFUL * 2)
    context.notes["stopped"] = time.monotonic()
    context.notes["status"] = -1 if status is None else status
    time.sleep(context.seconds)
    context.service.process.start()


def stop_was_orderly(context: Context, outcomes: Sequence[Outcome], _: Sequence[Change]) -> list[str]:
    """Find requests that were sent before the stop and not answered, and an exit status other than 0."""
    stop, stopped = context.notes["stop"], context.notes["stopped"]
    before = [outcome for outcome in outcomes if outcome.sent < stop - MARGIN]
    lost = [outcome for outcome in before if outcome.kind is Kind.LOST]
    problems = [f"{len(lost)} requests before the stop were lost, such as {lost[0]}"] if lost else []
    if not any(outcome.sent + outcome.seconds > stop for outcome in before):
        problems.append("no request was in flight at the stop")
    if context.notes["status"]:
        problems.append(f"exit status {context.notes['status']}")
    if stopped - stop > GRACEFUL:
        problems.append(f"the stop took {stopped - stop:.1f} s")
    return problems


FAULTS = (
    Fault(
        "disk-full",
        "disk full, while an avatar is changed",
        disk_full,
        database.longest_wait,
        database.change_is_made,
        disk_was_full,
        data=small_disk,
        change=set_avatar,
    ),
    Fault(
        "descriptors",
        f"no file descriptors left: {IDLE} idle connections",
        descriptors_exhausted,
        database.longest_wait,
        loses_connections=True,
    ),
    Fault(
        "worker-killed",
        "a worker of two killed (SIGKILL)",
        one_worker_killed,
        database.longest_wait,
        check=worker_is_replaced,
        workers=2,
        loses_connections=True,
    ),
    Fault(
        "worker-stopped",
        "a worker of two stopped (SIGSTOP)",
        one_worker_stopped,
        lambda settings: database.longest_wait(settings) + HEALTH_CHECK,
        check=worker_is_replaced,
        workers=2,
        loses_connections=True,
    ),
    Fault(
        "worker-hung",
        "event loop of a worker of two hung",
        one_worker_hung,
        lambda settings: database.longest_wait(settings) + WATCHDOG,
        check=worker_is_replaced,
        workers=2,
        program=("-m", "faults.hanging"),
        settings={"watchdog": str(WATCHDOG)},
        loses_connections=True,
    ),
    Fault(
        "sigterm",
        "service stopped (SIGTERM) and started again",
        stopped_and_started,
        database.longest_wait,
        check=stop_was_orderly,
        loses_connections=True,
    ),
)
