"""Beatmap files: `osu/<beatmap id>.osu` in the data folder, and the mirror that missing ones come from."""

import asyncio
import hashlib
import logging
import time
from importlib import import_module
from pathlib import Path

from config.settings import Settings
from storage.cache.bounded import BoundedMap
from storage.cache.cache import SingleFlight
from storage.files.atomic import replace

log = logging.getLogger("apidot")

MAX_BYTES = 8 * 2**20
CONCURRENT_DOWNLOADS = 4
# For how long a file that the mirror did not have is not downloaded again.
RETRY_SECONDS = 60.0
REMEMBERED_FAILURES = 10_000

# A beatmap's id and the md5 that its file must have.
FileKey = tuple[int, str]


class BeatmapFiles:
    def __init__(self, settings: Settings) -> None:
        self._folder = Path(settings.data_directory, "osu").resolve()
        self._mirror = settings.beatmap_mirror
        self._timeout = settings.beatmap_mirror_timeout
        self._concurrency = asyncio.Semaphore(CONCURRENT_DOWNLOADS)
        self._downloads: SingleFlight[FileKey, bool] = SingleFlight()
        self._retry_at: BoundedMap[FileKey, float] = BoundedMap(REMEMBERED_FAILURES)
        if self._mirror:
            # That takes long, and the functions below would otherwise do it during a request.
            import_module("aiohttp")

    def path(self, beatmap_id: int) -> Path:
        """Return where the file of a beatmap is, whether it exists or not."""
        return self._folder / f"{beatmap_id}.osu"

    async def fetch(self, beatmap_id: int, md5: str) -> bool:
        """Download the file of a beatmap. Return whether the mirror had one with that md5, and it was stored."""
        key = beatmap_id, md5
        if not self._mirror or (self._retry_at.get(key) or 0.0) > time.monotonic():
            return False
        return await asyncio.shield(self._downloads.join(key, self._download))

    async def _download(self, key: FileKey) -> bool:
        import aiohttp

        beatmap_id, md5 = key
        url = self._mirror.replace("{id}", str(beatmap_id))
        try:
            async with asyncio.timeout(self._timeout), self._concurrency:
                content = await _get(url)
            if hashlib.md5(content, usedforsecurity=False).hexdigest() == md5:
                await asyncio.to_thread(replace, self.path(beatmap_id), content)
                return True
            reason: object = "another version of the file"
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            reason = repr(error)
        log.warning("no file of beatmap %d from the mirror: %s", beatmap_id, reason)
        self._retry_at.put(key, time.monotonic() + RETRY_SECONDS)
        return False

    async def close(self) -> None:
        """Cancel the downloads that are running."""
        await self._downloads.close()


async def _get(url: str) -> bytes:
    """Return the content of `url`. Raise ClientError, and ValueError if it is longer than MAX_BYTES."""
    import aiohttp

    content = bytearray()
    # A session for each download: they are rare.
    async with (
        aiohttp.ClientSession(raise_for_status=True) as session,
        session.get(url, max_redirects=3) as response,
    ):
        async for chunk in response.content.iter_chunked(65536):
            content += chunk
            if len(content) > MAX_BYTES:
                raise ValueError("larger than a beatmap can be")
    return bytes(content)
