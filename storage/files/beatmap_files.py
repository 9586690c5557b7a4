"""Beatmap files: `osu/<id>.osu` in the data folder, and the mirror that missing ones come from."""

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from pathlib import Path

import aiohttp

from config.settings import Settings
from storage.files.atomic import replace

log = logging.getLogger("apidot")

LARGEST = 8 * 2**20
DOWNLOADS = 4

# A file that the mirror did not have is not asked for again for so many seconds.
FORGIVEN = 60.0
REMEMBERED = 10_000


class BeatmapFiles:
    """The folder of beatmap files."""

    def __init__(self, settings: Settings) -> None:
        self._folder = Path(settings.data_directory, "osu").resolve()
        self._mirror = settings.beatmap_mirror
        self._timeout = settings.beatmap_mirror_timeout
        self._downloads = asyncio.Semaphore(DOWNLOADS)
        self._running: dict[tuple[int, str], asyncio.Task[bool]] = {}
        self._failed: OrderedDict[tuple[int, str], float] = OrderedDict()

    def path(self, beatmap_id: int) -> Path:
        """Where the file of a beatmap is, or would be."""
        return self._folder / f"{beatmap_id}.osu"

    async def fetch(self, beatmap_id: int, md5: str) -> bool:
        """Download the file of a beatmap, and put it into the folder if it has that md5; whether it is there now.

        Whoever asks for a file while it is on its way waits for the same download.
        """
        wanted = beatmap_id, md5
        if not self._mirror or self._failed.get(wanted, 0.0) > time.monotonic():
            return False
        if wanted not in self._running:
            self._running[wanted] = asyncio.create_task(self._fetch(beatmap_id, md5))
            self._running[wanted].add_done_callback(lambda _: self._running.pop(wanted))
        return await asyncio.shield(self._running[wanted])

    async def _fetch(self, beatmap_id: int, md5: str) -> bool:
        url = self._mirror.replace("{id}", str(beatmap_id))
        try:
            async with asyncio.timeout(self._timeout), self._downloads:
                content = await _download(url)
            if hashlib.md5(content, usedforsecurity=False).hexdigest() == md5:
                await asyncio.to_thread(self._store, self.path(beatmap_id), content)
                return True
            reason: object = "another version of the file"
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            reason = repr(error)
        log.warning("no file of beatmap %d from the mirror: %s", beatmap_id, reason)
        self._failed.pop((beatmap_id, md5), None)
        self._failed[beatmap_id, md5] = time.monotonic() + FORGIVEN
        if len(self._failed) > REMEMBERED:
            self._failed.popitem(last=False)
        return False

    @staticmethod
    def _store(path: Path, content: bytes) -> None:
        path.parent.mkdir(exist_ok=True)
        replace(path, content)


async def _download(url: str) -> bytes:
    """What is at `url`. Raises ClientError, and ValueError when it is larger than a beatmap can be."""
    content = bytearray()
    # Downloads are too seldom for a session that lasts.
    async with (
        aiohttp.ClientSession(raise_for_status=True) as session,
        session.get(url, max_redirects=3) as answer,
    ):
        async for chunk in answer.content.iter_chunked(65536):
            content += chunk
            if len(content) > LARGEST:
                raise ValueError("larger than a beatmap can be")
    return bytes(content)
