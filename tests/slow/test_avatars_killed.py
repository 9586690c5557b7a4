"""There is always one whole avatar on disk, even if the service is killed while it stores one."""

import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2

from tests.conftest import IDS, PLAYER, Playground, playground
from tests.storage.files.test_avatars import STORED, Watch, avatars, kinds, put


def test_the_service_is_killed_during_uploads(tmp_path: Path) -> None:
    images = kinds()
    database = f"sqlite:///{tmp_path / 'world.sqlite'}"

    def upload(here: Playground, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                put(here, next(images))
            except httpx2.TransportError:
                return

    with playground(tmp_path, database) as here:
        images = iter([next(images) for _ in range(300)])
        put(here, next(images))
        for _ in range(8):
            stop = threading.Event()
            with Watch(here) as watch, ThreadPoolExecutor(2) as pool:
                for _ in range(2):
                    pool.submit(upload, here, stop)
                time.sleep(random.uniform(0.05, 0.25))
                os.kill(here.process.pid, signal.SIGKILL)
                stop.set()
            assert not watch.faults
            assert avatars(here)
            here.process.stop()
            here.process.start()
        assert put(here, next(images)).json() == STORED
        assert len(avatars(here)) == 1
        left = {file.name for file in (here.data / "avatars").iterdir()}

    assert left - {".lock", f"{IDS[PLAYER]}.png", f"{IDS[PLAYER]}.jpeg", f"{IDS[PLAYER]}.gif"} <= {
        f".{IDS[PLAYER]}.{extension}.tmp" for extension in ("png", "jpeg", "gif")
    }
