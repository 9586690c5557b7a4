"""Avatars: `<player>.<extension>` in the data folder, as the game server's web server looks for them."""

import asyncio
import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from domain.errors import ErrorSpec, Unavailable
from storage.files.atomic import replace
from storage.files.images import NotAnImage, clean

log = logging.getLogger("apidot")

NOT_AN_AVATAR = ErrorSpec(400, "invalid file type.")
NOT_STORED = ErrorSpec(503, "The avatar cannot be stored.")

EXTENSIONS = ("png", "jpg", "gif", "jpeg", "jfif")


class Avatars:
    """The folder of avatars."""

    def __init__(self, data_directory: str) -> None:
        self._folder = Path(data_directory, "avatars")
        # An image takes up to a hundred megabytes while it is decoded.
        self._one_at_a_time = asyncio.Semaphore(1)

    async def put(self, player_id: int, image: bytes) -> None:
        """Make `image` the avatar of a player.

        Raises APIError when it is no image of a kind that is taken, and Unavailable when it cannot be stored.
        """
        async with self._one_at_a_time:
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
        with self._alone():
            replace(self._folder / f"{player_id}.{extension}", content)
            for other in EXTENSIONS:
                if other != extension:
                    (self._folder / f"{player_id}.{other}").unlink(missing_ok=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keeps other threads and processes from storing: each of two would remove what the other has stored."""
        handle = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            # Gone with the process that holds it, however that ends.
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)
