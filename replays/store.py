"""What a store of replays offers, and which store the settings name."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

from config.settings import Settings
from replays.folder import Folder
from replays.frames import NeedMore, Stored, locate

HEAD = 1 << 12  # bytes, enough for most headers


class OpenReplay(Protocol):
    """A stored replay that is open.

    `content` are all bytes if the store has read them already, as it does with small replays, else None. `size` is
    in bytes, `modified` in UTC, and `version` changes with the content.
    """

    size: int
    version: str
    modified: datetime

    @property
    def content(self) -> memoryview | None: ...

    async def head(self, length: int) -> bytes:
        """Return the first `length` bytes, fewer if the replay is shorter. Raise StoreUnavailable."""
        ...

    def chunks(self, start: int, stop: int) -> AsyncGenerator[bytes | memoryview, None]:
        """Yield the bytes from `start` to before `stop`.

        Raise StoreUnavailable, or, before the last chunk, Changed if it is no longer the replay that was opened.
        """
        ...


class ReplayStore(Protocol):
    """Replays by the id of their score. `name` says where they are, for the operator.

    `knows_stored` is whether `stored` looks for each replay.
    """

    name: str
    knows_stored: bool

    def open(self, score_id: int) -> AbstractAsyncContextManager[OpenReplay]:
        """Open the replay of a score. Raise NoReplay, Unreadable or StoreUnavailable."""
        ...

    async def stored(self, score_ids: Sequence[int]) -> set[int]:
        """Return those of these passed scores, at most a hundred, whose replay is stored as far as is known.

        A store that would have to be asked for each of them returns all.
        """
        ...

    def ids(self) -> AsyncGenerator[list[int], None]:
        """Yield the ids of all replays, in no order. Other files are left out. Raise StoreUnavailable."""
        ...

    async def unavailable_reason(self) -> str | None:
        """Return why the store cannot be used, None if it can."""
        ...


async def find_frames(file: OpenReplay) -> Stored:
    """Return where the frames of an open replay are. Raise BadReplay if it has none."""
    stored = locate(await file.head(HEAD), file.size)
    while isinstance(stored, NeedMore):
        stored = locate(await file.head(stored.head), file.size)
    return stored


def open_store(settings: Settings) -> ReplayStore:
    """Return the store that the settings name. Raise CannotOpen if its library is not installed."""
    scheme, _, location = settings.replays_url.partition("://")
    if scheme == "s3":
        # Its library is optional.
        from replays.s3 import Bucket

        bucket, _, prefix = location.partition("/")
        return Bucket(bucket, prefix.strip("/"), settings)
    return Folder(Path(unquote(location)) if scheme == "file" else Path(settings.data_directory, "osr"))
