"""A disk that becomes full while a file is written: the old file stays, and nothing is left of the new one."""

import asyncio
import hashlib
import random
from pathlib import Path

import pytest
from PIL import Image

from demo.load import write_files
from storage.cache.change_marker import ChangeMarker
from storage.files.atomic import replace
from storage.files.beatmap_files import BeatmapFiles
from tests.conftest import IDS, PLAYER, playground
from tests.storage.files.test_avatars import STORED, encoded, put
from tests.support.checks import settings_of
from tests.support.http_stub import Answer, answering
from tests.support.small_disk import BYTES, small_disk

# Of a full disk, or of a file that reaches its limit.
FULL = r"No space left on device|File too large"
LARGE = random.Random(1).randbytes(3 * BYTES)


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def test_an_avatar(tmp_path: Path) -> None:
    large = encoded("PNG", Image.frombytes("RGB", (256, 256), LARGE))
    with playground(tmp_path, f"sqlite:///{tmp_path / 'world.sqlite'}") as here:
        folder = here.data / "avatars"
        with small_disk(folder, here.process.pid):
            assert put(here, encoded("GIF")).json() == STORED
            for _ in range(2):
                response = put(here, large)
                assert (response.status_code, response.json()) == (503, {"status": "The avatar cannot be stored."})
                assert int(response.headers["Retry-After"]) > 0
                assert names(folder) == {".lock", f"{IDS[PLAYER]}.gif"}
            assert put(here, encoded("PNG")).json() == STORED
            assert names(folder) == {".lock", f"{IDS[PLAYER]}.png"}
        assert "Traceback" not in here.process.output()


def test_a_file_that_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "disk" / "file"
    with small_disk(file.parent):
        replace(file, b"old")
        with pytest.raises(OSError, match=FULL):
            replace(file, LARGE)
        assert names(file.parent) == {"file"}
        assert file.read_bytes() == b"old"


def test_a_downloaded_beatmap_file(tmp_path: Path) -> None:
    async def fetch(port: int) -> bool:
        mirror = f"http://127.0.0.1:{port}/{{id}}"
        files = BeatmapFiles(settings_of(tmp_path, data_directory=str(tmp_path), beatmap_mirror=mirror))
        return await files.fetch(1, hashlib.md5(LARGE).hexdigest())

    with answering(lambda _: Answer(200, LARGE)) as port:
        with small_disk(tmp_path / "osu"):
            assert not asyncio.run(fetch(port))
            assert names(tmp_path / "osu") == set()
        assert asyncio.run(fetch(port))


def test_a_file_of_the_demo_world(tmp_path: Path) -> None:
    with small_disk(tmp_path / "osr"):
        with pytest.raises(OSError, match=FULL):
            write_files(tmp_path, [("osr/1.osr", b"small"), ("osr/2.osr", LARGE)])
        assert names(tmp_path / "osr") == {"1.osr"}


def test_the_change_marker_has_its_space_from_the_start(tmp_path: Path) -> None:
    """On a full disk, writing to a mapped file without space would kill the process."""
    file = tmp_path / "marker"
    marker = ChangeMarker(file)
    assert file.stat().st_blocks > 0
    asyncio.run(marker.close())
