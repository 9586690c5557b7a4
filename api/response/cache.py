"""ResponseCache kept for a second or a few, encoded, so that a hundred viewers of one profile cost one query."""

import time
from collections.abc import Awaitable
from typing import NamedTuple, Protocol

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from api.response.encoded import EncodedResponse
from api.services import Services
from domain.errors import APIError
from storage.cache.cache import SingleFlightCache
from storage.game_server.client import NoAnswer

# For how long the last answer is given while the database is away.
STALE = 60.0
READS = ("GET", "HEAD")
# How many requests are known by their text, and of which length at the most: a few MiB.
KNOWN_REQUESTS = 10_000
LONGEST_KNOWN = 200


class Cacheable(Protocol):
    """An endpoint, as far as its answers are kept."""

    # How many seconds its answers are kept.
    seconds: float
    # Whether they show what players change through this service.
    editable: bool
    route: str

    def prepare(self, services: Services, params: msgspec.Struct) -> Awaitable[EncodedResponse]:
        """The answer, made anew."""


class CacheKey(NamedTuple):
    """What an answer is kept under; `mark` is another after each change through this service."""

    endpoint: Cacheable
    params: msgspec.Struct
    mark: bytes


class ResponseCache:
    """The answers to questions: kept ones while they are fresh, and what is asked at once is asked once."""

    def __init__(self, services: Services) -> None:
        """Keeps them as CACHE and CACHE_BYTES say."""
        self._services = services
        self._kept: SingleFlightCache[CacheKey, EncodedResponse] | None = None
        if services.settings.cache:
            self._kept = SingleFlightCache(
                self._ask,
                stale=STALE,
                size=services.settings.cache_bytes,
                overhead=1024,
                weigh=lambda answer: answer.weight,
            )
        self._known: dict[tuple[str, bytes], tuple[Cacheable, msgspec.Struct]] = {}

    @property
    def bytes(self) -> int:
        """The memory that is taken, at the most."""
        return self._kept.weight if self._kept is not None else 0

    @property
    def count(self) -> int:
        """How many are kept."""
        return len(self._kept) if self._kept is not None else 0

    async def get(self, endpoint: Cacheable, params: msgspec.Struct, scope: Scope) -> EncodedResponse:
        """The answer to a request; `scope["cache"]` then says whether it was kept.

        Raises what the handler raises.
        """
        if self._kept is None:
            return await endpoint.prepare(self._services, params)
        if len(scope["path"]) + len(scope["query_string"]) <= LONGEST_KNOWN:
            if len(self._known) >= KNOWN_REQUESTS:
                self._known.clear()
            self._known[scope["path"], scope["query_string"]] = (endpoint, params)
        asked = time.monotonic()
        answer = await self._kept.get(self._question(endpoint, params), endpoint.seconds)
        age = asked - answer.made
        scope["cache"] = "miss" if age <= 0 else "hit" if age <= endpoint.seconds else "stale"
        return answer

    def ready(self, scope: Scope) -> EncodedResponse | None:
        """The answer to a request that came before in the same words, if it is fresh."""
        known = self._known.get((scope["path"], scope["query_string"]))
        if known is None or self._kept is None:
            return None
        endpoint, params = known
        answer = self._kept.ready(self._question(endpoint, params), endpoint.seconds)
        if answer:
            scope["cache"] = "hit"
            scope["route"] = endpoint.route
        return answer

    def _question(self, endpoint: Cacheable, params: msgspec.Struct) -> CacheKey:
        return CacheKey(endpoint, params, self._services.change_marker.version if endpoint.editable else b"")

    async def _ask(self, question: CacheKey) -> EncodedResponse:
        try:
            return await question.endpoint.prepare(self._services, question.params)
        except NoAnswer as error:
            # The game server's last answers have an age of their own, which is not to be stretched.
            raise APIError(503, error.message, error.retry_after) from error

    async def close(self) -> None:
        """End what is still being asked."""
        if self._kept is not None:
            await self._kept.close()


class CachedResponseShortcut:
    """Middleware: what was asked in the same words a moment ago is answered before anything else is looked at."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in READS:
            answers: ResponseCache = scope["state"]["response_cache"]
            if answer := answers.ready(scope):
                await answer(scope, receive, send)
                return
        await self.app(scope, receive, send)
