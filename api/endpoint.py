"""One URL: parse the request's parameters, call the handler, encode the Struct that it returns."""

import math
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, get_type_hints

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.request.auth import Caller
from api.request.body import Body
from api.request.params import Reader
from api.response.cache import READS, ResponseCache
from api.response.encoded import EncodedResponse, encode
from api.services import Services
from storage.cache.cache import OutdatedValues, outdated_values

# Called with the services, the parameters, and the extras that its signature declares.
Handler = Callable[..., Awaitable[Any]]

WRITES = ("POST", "PUT")

# What a handler may declare beside its parameters, by annotation.
EXTRAS: dict[type, Callable[[Scope, Receive], Any]] = {Caller: Caller.of, Body: Body}


class Endpoint:
    """An ASGI application around a handler, whose signature gives the parameters and the response type."""

    def __init__(
        self,
        handler: Handler,
        methods: tuple[str, ...] = READS,
        *,
        seconds: float = 0,
        editable: bool = False,
        yields: bool = False,
        yields_params: Iterable[str] = (),
        may_lack: Iterable[tuple[str, str]] = (),
        passes_sessions: bool = False,
    ) -> None:
        """`seconds` is how long responses are cached, 0 for not at all.

        `editable`: the response shows what players can change through this service. It is not served from the
        cache after such a change, and browsers revalidate it each time.

        `yields`: the stock game server has no endpoint of this name. If a fork has one, requests are passed on to
        it. `yields_params` are the names of parameters for which the same is true.

        `may_lack` are the parameters and values that are only served with the databases of some forks: the handler
        raises Unserved. With others, the requests are passed on to a game server that declares the value.

        `passes_sessions`: a request with a session of the game server's web client is passed on to it. Responses
        must not be cached.
        """
        assert not (passes_sessions and seconds)
        self.handler = handler
        self.methods = methods
        self.seconds = seconds
        self.editable = editable
        self.yields = yields
        self.yields_params = frozenset(yields_params)
        self.may_lack = frozenset(may_lack)
        self.passes_sessions = passes_sessions
        # Its name in the log and in metrics, whichever form of its path is requested; set by the route table.
        self.route = ""
        hints = get_type_hints(handler)
        self.response_type: object = hints.pop("return")
        _, params, *extras = hints.values()
        self.params: type[msgspec.Struct] = params
        self.reader = Reader(self.params)
        self._extras = [EXTRAS[extra] for extra in extras]
        assert not (extras and seconds), f"{handler.__name__}: a response that depends on the caller"
        self._cache_control = _cache_control(seconds, editable=editable)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        params = self.reader.read(scope["query_string"], scope["path_params"])
        response: EncodedResponse | Response
        if self.seconds:
            cache: ResponseCache = scope["state"]["response_cache"]
            response = await cache.get(self, params, scope)
        else:
            services: Services = scope["state"]["services"]
            extras = [extra(scope, receive) for extra in self._extras]
            result = await self.handler(services, params, *extras)
            response = result if isinstance(result, Response) else self._encoded(services, result)
        await response(scope, receive, send)

    async def prepare(self, services: Services, params: msgspec.Struct) -> EncodedResponse:
        """Call the handler, bypassing the cache, and return its response. Raise what the handler raises."""
        outdated = OutdatedValues()
        outdated_values.set(outdated)
        result = await self.handler(services, params)
        return self._encoded(services, result, outdated.oldest)

    def _encoded(self, services: Services, result: object, outdated_since: float = math.inf) -> EncodedResponse:
        compress = services.settings.compression
        return EncodedResponse(
            encode(result), self._cache_control, compress=compress, outdated_since=outdated_since
        )


def _cache_control(seconds: float, *, editable: bool) -> bytes:
    if not seconds:
        return b"no-store"
    return b"no-cache" if editable else b"public, max-age=%d" % seconds
