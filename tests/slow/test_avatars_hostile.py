"""Images that are made to hurt: what they cost the service at its worst, and at its end."""

import os
import re
import signal
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from storage.files.avatars import MAX_UPLOADS
from tests.conftest import ADMIN, PLAYER, Playground, playground
from tests.storage.files.test_avatar_limits import (
    MIB,
    cpu_seconds,
    decoding,
    keys,
    scans,
    start_upload,
    wait_until,
    workers,
)
from tests.storage.files.test_avatars import STORED, encoded, put

UPLOADS = 60
# Seconds that a stopping service waits for requests in flight.
GRACEFUL = 10


def resident(world: Playground) -> float:
    """Return the memory of the service, without its workers, in MiB."""
    status = Path(f"/proc/{world.process.pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


@pytest.mark.parametrize("whole", [False, True])
def test_sixty_abandoned_uploads(tmp_path: Path, whole: bool) -> None:
    image = scans(1024)
    with playground(tmp_path, f"sqlite:///{tmp_path / 'world.sqlite'}", image_timeout="60") as here:
        put(here, encoded("PNG"))
        put(here, b"x" * 4 * MIB)
        before = resident(here)
        with ExitStack() as uploads:
            for key in keys(here, UPLOADS):
                uploads.enter_context(start_upload(here, key, image if whole else image[:-1], len(image)))
            assert here.client.get("/v1/get_clan?id=1").status_code == 200
            wait_until(lambda: here.process.output(200).count("status=503") >= UPLOADS - MAX_UPLOADS, 60)
            most = resident(here)
        begun = time.monotonic()
        wait_until(lambda: put(here, encoded("PNG")).json() == STORED)
        print(f"from {before:.0f} to {most:.0f} MiB, then {time.monotonic() - begun:.1f} s until the next avatar")

        # While it is parsed, an upload of 4 MiB is in memory twice.
        assert most - before < 2 * MAX_UPLOADS * 4
        assert put(here, encoded("PNG"), ADMIN).json() == STORED
        used = [cpu_seconds(worker) for worker in workers(here)]
        time.sleep(1)
        assert sum(cpu_seconds(worker) for worker in workers(here)) < sum(used) + 0.3
        assert "Traceback" not in here.process.output(10_000)


def test_a_stop_is_not_delayed(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'world.sqlite'}"
    with playground(tmp_path, database, image_timeout="600") as here, decoding(here):
        left = workers(here)
        begun = time.monotonic()
        assert here.process.stop(GRACEFUL + 20) == 0
        assert time.monotonic() - begun < GRACEFUL + 10
        assert left
        wait_until(lambda: all(cpu_seconds(worker) < 0 for worker in left), 10)


def test_workers_end_with_a_service_that_is_killed(tmp_path: Path) -> None:
    with playground(tmp_path, f"sqlite:///{tmp_path / 'world.sqlite'}", image_timeout="3") as here:
        put(here, encoded("PNG"))
        with decoding(here, PLAYER):
            put(here, encoded("PNG"), ADMIN)
            left = workers(here)
            os.kill(here.process.pid, signal.SIGKILL)
        assert len(left) == 2
        wait_until(lambda: all(cpu_seconds(worker) < 0 for worker in left), 10)
