"""Replays in S3-compatible storage: `<prefix>/<score id>.osr` in a bucket."""

import atexit
import logging
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from config.settings import Settings
from domain.errors import CannotOpen
from replays.errors import Changed, NoReplay, StoreUnavailable
from replays.filename import score_id, stored_name

try:
    import obstore
    from obstore.exceptions import BaseError, GenericError, PreconditionError
    from obstore.store import S3Store
except ImportError as error:
    raise CannotOpen("REPLAYS_URL=s3:// needs a package: .venv/bin/pip install obstore") from error

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta

log = logging.getLogger("apidot")

HEAD = 1 << 16  # bytes
MIN_CHUNK = 1 << 16  # bytes; the library returns what it has received, often more
EXIT_DELAY = 0.3  # seconds

# A thread of the library that has just delivered a response still needs the interpreter. Before CPython 3.14 an
# interpreter that exits at that moment unwinds the thread, and Rust aborts the process. The sleep lets such
# threads finish.
atexit.register(time.sleep, EXIT_DELAY)


class Bucket:
    """A ReplayStore in a bucket, or in the part of it below a prefix."""

    knows_stored = False

    def __init__(self, bucket: str, prefix: str, settings: Settings) -> None:
        self.name = f"s3://{bucket}/{prefix}".rstrip("/")
        endpoint = settings.aws_endpoint_url_s3 or settings.aws_endpoint_url
        # Without keys the library gets them from the machine's role, as other clients of S3 do.
        options = {
            "endpoint": endpoint,
            "region": settings.aws_region,
            "access_key_id": settings.aws_access_key_id,
            "secret_access_key": settings.aws_secret_access_key,
            "session_token": settings.aws_session_token,
        }
        self._store = S3Store(
            bucket,
            prefix=prefix or None,
            config={name: str(value) for name, value in options.items() if value},  # type: ignore[arg-type]
            client_options={
                "allow_http": endpoint.startswith("http://"),
                "connect_timeout": "2s",
                "read_timeout": "10s",
                # For a whole response, and a client may read it slowly.
                "timeout": "1day",
            },
            retry_config={"max_retries": 1, "retry_timeout": timedelta(seconds=5)},
        )

    @asynccontextmanager
    async def open(self, score_id: int) -> AsyncIterator["OpenObject"]:
        path = stored_name(score_id)
        try:
            meta, head = await self._begin(path)
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise self._unavailable(error) from error
            raise NoReplay from None
        except BaseError as error:
            raise self._unavailable(error) from error
        yield OpenObject(self._store, f"{self.name}/{path}", meta, head)

    async def _begin(self, path: str) -> tuple["ObjectMeta", bytes]:
        try:
            response = await obstore.get_async(self._store, path, options={"range": (0, HEAD)})
        except GenericError as error:
            if " 416 " not in str(error):
                raise
            # An empty object has no first byte.
            return await obstore.head_async(self._store, path), b""
        return response.meta, bytes(await response.buffer_async())

    async def stored(self, score_ids: Sequence[int]) -> set[int]:
        return set(score_ids)

    async def ids(self) -> AsyncGenerator[list[int], None]:
        try:
            async for objects in obstore.list(self._store):
                yield [id for meta in objects if (id := score_id(meta["path"])) is not None]
        except (BaseError, OSError) as error:
            raise self._unavailable(error) from error

    async def unavailable_reason(self) -> str | None:
        try:
            async for _ in obstore.list(self._store, chunk_size=1):
                break
        except (BaseError, OSError) as error:
            return _reason(error)
        return None

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        log.warning("%s does not answer: %s", self.name, _reason(error))
        return StoreUnavailable()


class OpenObject:
    """An OpenReplay. Later reads must be of the version that the first bytes came from."""

    content: memoryview | None = None

    def __init__(self, store: S3Store, name: str, meta: "ObjectMeta", head: bytes) -> None:
        self._store = store
        self._name = name
        self._path = meta["path"]
        self._tag = meta["e_tag"]
        self._head = head
        self.size = meta["size"]
        self.modified = meta["last_modified"].astimezone(UTC)
        self.version = f"{self._tag}-{self.modified.timestamp():.0f}-{self.size:x}"

    async def head(self, length: int) -> bytes:
        length = min(length, self.size)
        if len(self._head) < length:
            try:
                self._head += b"".join([chunk async for chunk in self._rest(len(self._head), length)])
            except Changed as error:
                raise StoreUnavailable from error
        return self._head[:length]

    async def chunks(self, start: int, stop: int) -> AsyncGenerator[bytes | memoryview, None]:
        cached, self._head = self._head[start:stop], b""
        if cached:
            yield cached
        if start + len(cached) < stop:
            async with aclosing(self._rest(start + len(cached), stop)) as rest:
                async for chunk in rest:
                    yield chunk

    async def _rest(self, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        options: GetOptions = {"range": (start, stop)}
        if self._tag is not None:
            options["if_match"] = self._tag
        try:
            response = await obstore.get_async(self._store, self._path, options=options)
            async for chunk in response.stream(min_chunk_size=MIN_CHUNK):
                start += len(chunk)
                yield bytes(chunk)
        except (PreconditionError, FileNotFoundError) as error:
            raise Changed(f"{self._name} changed while it was read") from error
        except BaseError as error:
            log.warning("%s: %s", self._name, _reason(error))
            raise StoreUnavailable from error
        if start != stop:
            raise Changed(f"{self._name} ended early")


def _reason(error: Exception) -> str:
    """Return what the storage says, or the first line of what the library says."""
    message = re.search("<Code>(.*?)</Code>.*?<Message>(.*?)</Message>", str(error), re.DOTALL)
    return f"{message[1]}: {message[2]}" if message else str(error).strip().partition("\n")[0]
