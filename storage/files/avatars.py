"""Avatars: `avatars/<player id>.<extension>` in the data folder, as the game server's web server serves them."""

import asyncio
import fcntl
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from config.settings import Settings
from domain.errors import ErrorSpec, Unavailable
from storage.files.atomic import replace
from storage.workers.pool import QueueFull, WorkerPool
from storage.workers.process import NotInstalled, NotStarting, WorkerFailed, WorkerKind

log = logging.getLogger("apidot")

NOT_AN_AVATAR = ErrorSpec(400, "invalid file type.")
UPLOADING = ErrorSpec(429, "Another avatar of this player is still being uploaded.")
TOO_MANY = ErrorSpec(503, "Too many avatars are waiting.")
NOT_STARTING = ErrorSpec(503, "The image decoder does not start.")
NOT_STORED = ErrorSpec(503, "The avatar cannot be stored.")
AVATAR_ERRORS = (NOT_AN_AVATAR, UPLOADING, TOO_MANY, NOT_STARTING, NOT_STORED)

EXTENSIONS = ("png", "jpg", "gif", "jpeg", "jfif")

SCRIPT = Path(__file__).with_name("images.py")
# An image that takes long to decode does not hold up the others.
WORKERS = 2
# At a time. Each is in memory while it arrives, waits, is decoded and is stored.
MAX_UPLOADS = 16
# Seconds that a player's next upload waits for the last one to end. A client whose connection broke may try again
# before the service notices.
UPLOAD_WAIT = 1.0
# In bytes: encoded anew, an image is seldom twice as large as it was.
MAX_STORED = 16 * 2**20


class Avatar(msgspec.Struct, frozen=True):
    """A clean image, as it is stored."""

    extension: str
    content: bytes


class Avatars:
    def __init__(self, settings: Settings) -> None:
        self._folder = Path(settings.data_directory, "avatars")
        kind = WorkerKind(
            name="image decoder",
            script=SCRIPT,
            megabytes=settings.image_memory,
            seconds=settings.image_timeout,
            max_reply=MAX_STORED,
        )
        self._decoder = WorkerPool(kind, workers=WORKERS, queue=MAX_UPLOADS)
        # For each player who uploads an avatar, the event that is set when the upload has ended.
        self._uploading: dict[int, asyncio.Event] = {}
        # One at a time, so that a slow disk takes one of the threads that everything else needs too.
        self._storing = asyncio.Lock()

    @asynccontextmanager
    async def uploading(self, player_id: int) -> AsyncIterator[None]:
        """Count the block as the upload of this player's avatar, from before its body is read.

        Raise APIError if the player has another upload, and Unavailable if there are MAX_UPLOADS.
        """
        try:
            async with asyncio.timeout(UPLOAD_WAIT):
                while other := self._uploading.get(player_id):
                    await other.wait()
        except TimeoutError:
            raise UPLOADING(retry_after=1) from None
        if len(self._uploading) >= MAX_UPLOADS:
            raise Unavailable(TOO_MANY.message, retry_after=5)
        ended = self._uploading[player_id] = asyncio.Event()
        try:
            yield
        finally:
            del self._uploading[player_id]
            ended.set()

    async def decode(self, player_id: int, image: bytes) -> Avatar:
        """Return the image without anything but the picture. The id is for the log.

        Raise APIError if it is not a PNG, JPEG or GIF, or takes too much time or memory, and Unavailable if too
        many images wait or a worker does not start.
        """
        try:
            reply = await self._decoder.run(image)
        except QueueFull:
            raise Unavailable(TOO_MANY.message, retry_after=5) from None
        except (NotStarting, NotInstalled) as error:
            if isinstance(error, NotInstalled):
                log.warning("avatars cannot be decoded: Pillow is not installed")
            raise Unavailable(NOT_STARTING.message) from error
        except WorkerFailed as error:
            log.warning("the image decoder broke on an avatar of player %d: %r", player_id, error.__cause__)
            raise NOT_AN_AVATAR() from error
        extension, _, content = reply.partition(b"\n")
        if extension.decode("ascii", "replace") not in EXTENSIONS:
            raise NOT_AN_AVATAR()
        return Avatar(extension.decode(), content)

    async def store(self, player_id: int, avatar: Avatar) -> None:
        """Make it the player's avatar. Raise Unavailable if it cannot be stored."""
        try:
            async with self._storing:
                await asyncio.to_thread(self._store, player_id, avatar)
        except OSError as error:
            log.warning("an avatar cannot be stored: %s", error)
            raise Unavailable(NOT_STORED.message, retry_after=60) from error

    def _store(self, player_id: int, avatar: Avatar) -> None:
        self._folder.mkdir(exist_ok=True)
        # Locked against other processes: each of two would remove the file that the other has just stored.
        # The system releases the lock when the process ends, however that happens.
        with open(os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600), "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            replace(self._folder / f"{player_id}.{avatar.extension}", avatar.content)
            for other in EXTENSIONS:
                if other != avatar.extension:
                    (self._folder / f"{player_id}.{other}").unlink(missing_ok=True)

    async def close(self) -> None:
        """Stop the workers."""
        await self._decoder.close()
