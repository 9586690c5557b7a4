"""The cache of encoded responses, so that a hundred viewers of one profile cost one query."""

import time
from collections.abc import Awaitable
from typing import NamedTuple, Protocol

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from api.request.osu_v1 import name_in, without_key
from api.response.encoded import EncodedResponse
from api.services import Services
from domain.errors import APIError
from storage.cache.bounded import BoundedMap
from storage.cache.cache import SingleFlightCache
from storage.game_server.client import NoAnswer

# Seconds for which the last response is served while the database is unavailable.
STALE = 60.0
# The part of CACHE_BYTES in which what does not exist is remembered, and what each of these takes.
MISSING_PART, MISSING_BYTES = 1 / 16, 1024
# How many requests are recognised by their path and query, and up to which length, which is enough for lists of 50
# ids: a few MiB in all.
KNOWN_REQUESTS = 10_000
MAX_KNOWN_LENGTH = 700


READS = ("GET", "HEAD")


class Cacheable(Protocol):
    """An endpoint, as far as the cache needs it."""

    seconds: float
    editable: bool
    route: str

    def prepare(self, services: Services, params: msgspec.Struct) -> Awaitable[EncodedResponse]: ...


class CacheKey(NamedTuple):
    """What a response is cached under. `version` changes with every change that a player makes."""

    endpoint: Cacheable
    params: msgspec.Struct
    version: bytes


class Missing(NamedTuple):
    """The message of a 404 that a handler raised, and when, on the monotonic clock."""

    message: str
    raised: float


class ResponseCache:
    """Responses by endpoint and parameters. Requests for the same one at the same time share one handler call.

    Errors are not cached, except 404.
    """

    def __init__(self, services: Services) -> None:
        """The settings CACHE and CACHE_BYTES say whether responses are cached, and in how many bytes."""
        self._services = services
        missing = int(services.settings.cache_bytes * MISSING_PART)
        self._missing: BoundedMap[CacheKey, Missing] = BoundedMap(missing, weigh=lambda _: MISSING_BYTES)
        self._responses: SingleFlightCache[CacheKey, EncodedResponse] = SingleFlightCache(
            self._prepare,
            renew=True,
            stale=STALE,
            size=services.settings.cache_bytes - missing,
            overhead=1024,
            weigh=lambda response: response.weight,
        )
        self._known: BoundedMap[tuple[str, bytes], CacheKey] = BoundedMap(KNOWN_REQUESTS)

    @property
    def bytes(self) -> int:
        """The most bytes of memory that the cached responses take."""
        return self._responses.weight + self._missing.weight

    @property
    def count(self) -> int:
        """How many responses are cached."""
        return len(self._responses)

    async def get(self, endpoint: Cacheable, params: msgspec.Struct, scope: Scope) -> EncodedResponse:
        """Return the response to a request, and set `scope["cache"]` to `hit`, `miss` or `stale`.

        Raise what the handler raises.
        """
        key = self._key(endpoint, params) if self._services.settings.cache else None
        if key is None:
            return await endpoint.prepare(self._services, params)
        request = _recognised_by(scope)
        if sum(map(len, request)) <= MAX_KNOWN_LENGTH and not scope.get("checks_key"):
            self._known.put(request, key)
        begun = time.monotonic()
        missing = self._missing.get(key)
        if missing and begun - missing.raised <= endpoint.seconds:
            scope["cache"] = "hit"
            raise APIError(404, missing.message)
        response = await self._responses.get(key, endpoint.seconds)
        age = begun - response.made
        scope["cache"] = "miss" if age <= 0 else "hit" if age <= endpoint.seconds else "stale"
        return response

    def ready(self, scope: Scope) -> EncodedResponse | None:
        """Return the response if it is fresh, and the same path and query were requested before; else None."""
        key = self._known.get((scope["path"], scope["query_string"])) or self._known.get(_recognised_by(scope))
        if key and key.endpoint.editable:
            key = self._key(key.endpoint, key.params)
        if key is None:
            return None
        endpoint = key.endpoint
        response = self._responses.ready(key, endpoint.seconds)
        if response:
            scope["cache"] = "hit"
            scope["route"] = endpoint.route
        return response

    def forget_requests(self) -> None:
        """Let `ready` return nothing before a request has come through the routes again."""
        self._known = BoundedMap(KNOWN_REQUESTS)

    def _key(self, endpoint: Cacheable, params: msgspec.Struct) -> CacheKey | None:
        """Return the key of a response, None if it must not be cached now."""
        version = self._services.change_marker.version if endpoint.editable else b""
        return None if version is None else CacheKey(endpoint, params, version)

    async def _prepare(self, key: CacheKey) -> EncodedResponse:
        try:
            return await key.endpoint.prepare(self._services, key.params)
        except NoAnswer as error:
            # The game server's last responses are cached elsewhere, for a shorter time, which must not be extended
            # here: an APIError is final where Unavailable would bring back a stale response.
            raise APIError(503, error.message, error.retry_after) from error
        except APIError as error:
            if error.status == 404:
                self._missing.put(key, Missing(error.message, time.monotonic()))
            raise

    async def close(self) -> None:
        """Cancel the calls that are under way."""
        await self._responses.close()


def _recognised_by(scope: Scope) -> tuple[str, bytes]:
    """Return the path and the query of a request, of one for the osu! API v1 without the API key."""
    path, query = scope["path"], scope["query_string"]
    return path, without_key(query) if name_in(path) else query


class CachedResponseShortcut:
    """Middleware that sends a fresh cached response before the request is routed or its parameters are parsed."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in READS:
            cache: ResponseCache = scope["state"]["response_cache"]
            if response := cache.ready(scope):
                await response(scope, receive, send)
                return
        await self.app(scope, receive, send)
