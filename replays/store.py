"""Where replays are kept: what every place offers, and which place the settings name."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

from config.settings import Settings
from replays.folder import Folder
from replays.frames import NeedMore, Stored, locate

HEAD = 1 << 12  # bytes; more is asked for where the header is longer


class OpenReplay(Protocol):
    """A stored replay, for as long as its block lasts.

    `size` is in bytes. `version` is another one whenever the content is; `modified` is in UTC.
    """

    @property
    def size(self) -> int: ...
    @property
    def version(self) -> str: ...
    @property
    def modified(self) -> datetime: ...

    async def head(self, length: int) -> bytes:
        """The first bytes, fewer where the replay is shorter."""
        ...

    def chunks(self, start: int, stop: int) -> AsyncGenerator[bytes | memoryview, None]:
        """The bytes from `start` to before `stop`, in pieces.

        Raises Changed, before the last of them, when the replay is not what it was when it was opened.
        """
        ...


class ReplayStore(Protocol):
    """Replays by the id of their score."""

    @property
    def name(self) -> str:
        """Where it is, for people."""
        ...

    def open(self, score_id: int) -> AbstractAsyncContextManager[OpenReplay]:
        """The replay of a score. Raises NoReplay, or Unavailable when the place does not answer."""
        ...

    def ids(self) -> AsyncGenerator[list[int], None]:
        """The ids of all replays, in no order. Raises Unavailable."""
        ...

    async def unavailable_reason(self) -> str | None:
        """Why the place cannot be used; None when it can."""
        ...


async def find_frames(file: OpenReplay) -> Stored:
    """Where the frames of an open replay are. Raises BadReplay when it holds none."""
    found = locate(await file.head(HEAD), file.size)
    while isinstance(found, NeedMore):
        found = locate(await file.head(found.head), file.size)
    return found


def open_store(settings: Settings) -> ReplayStore:
    """The place that the settings name. Raises MissingPackage."""
    scheme, _, place = settings.replays_url.partition("://")
    if scheme == "s3":
        # Not everyone has its library.
        from replays.s3 import Bucket

        bucket, _, prefix = place.partition("/")
        return Bucket(bucket, prefix.strip("/"), settings)
    return Folder(Path(unquote(place)) if scheme == "file" else Path(settings.data_directory, "osr"))
