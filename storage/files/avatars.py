"""Avatars: `avatars/<player id>.<extension>` in the data folder, as the game server's web server serves them."""

import asyncio
import fcntl
import logging
import os
from pathlib import Path

from domain.errors import ErrorSpec, Unavailable
from storage.files.atomic import replace
from storage.files.images import NotAnImage, clean

log = logging.getLogger("apidot")

NOT_AN_AVATAR = ErrorSpec(400, "invalid file type.")
NOT_STORED = ErrorSpec(503, "The avatar cannot be stored.")

EXTENSIONS = ("png", "jpg", "gif", "jpeg", "jfif")


class Avatars:
    def __init__(self, data_directory: str) -> None:
        self._folder = Path(data_directory, "avatars")
        # One at a time: an image takes up to a hundred megabytes while it is decoded.
        self._lock = asyncio.Lock()

    async def put(self, player_id: int, image: bytes) -> None:
        """Make `image` the player's avatar.

        Raise APIError if it is not a PNG, JPEG or GIF, and Unavailable if it cannot be stored.
        """
        async with self._lock:
            try:
                extension, content = await asyncio.to_thread(clean, image)
                await asyncio.to_thread(self._store, player_id, extension, content)
            except NotAnImage:
                raise NOT_AN_AVATAR() from None
            except OSError as error:
                log.warning("an avatar cannot be stored: %s", error)
                raise Unavailable(NOT_STORED.message, retry_after=60) from error

    def _store(self, player_id: int, extension: str, content: bytes) -> None:
        self._folder.mkdir(exist_ok=True)
        # Locked against other processes: each of two would remove the file that the other has just stored.
        # The system releases the lock when the process ends, however that happens.
        with open(os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600), "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            replace(self._folder / f"{player_id}.{extension}", content)
            for other in EXTENSIONS:
                if other != extension:
                    (self._folder / f"{player_id}.{other}").unlink(missing_ok=True)
