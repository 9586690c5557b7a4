"""One URL: from a request to its handler, and from the handler's Struct to bytes."""

from collections.abc import Awaitable, Callable
from typing import Any, get_type_hints

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.request.auth import Caller
from api.request.body import Body
from api.request.params import Reader
from api.response.cache import READS, ResponseCache
from api.response.encoded import EncodedResponse, encode
from api.services import Services

# Called with the services, its parameters, and what else of the request it declares.
Handler = Callable[..., Awaitable[Any]]

WRITES = ("POST", "PUT")

# What a handler may ask for beside its parameters, found by the annotation.
EXTRAS: dict[type, Callable[[Scope, Receive], Any]] = {Caller: Caller.of, Body: Body}


class Endpoint:
    """An ASGI application around a handler, whose signature is the whole truth about its parameters."""

    def __init__(
        self,
        handler: Handler,
        methods: tuple[str, ...] = READS,
        *,
        seconds: float = 0,
        editable: bool = False,
    ) -> None:
        """`seconds` is for how long an answer may be kept.

        `editable`: it shows what players change through this service, so none is kept beyond such a change, and
        browsers ask each time.
        """
        self.handler = handler
        self.methods = methods
        self.seconds = seconds
        self.editable = editable
        # What it is called in the log and in figures, whatever form of its path was asked for.
        self.route = ""
        self._allow = ", ".join((*methods, "OPTIONS"))
        hints = get_type_hints(handler)
        self.answer: object = hints.pop("return")
        _, params, *extras = hints.values()
        self.params: type[msgspec.Struct] = params
        self._reader = Reader(self.params)
        self._extras = [EXTRAS[extra] for extra in extras]
        self._cache_control = b"no-store"
        if seconds:
            assert not extras, f"{handler.__name__}: what depends on who asks cannot be kept for others"
            self._cache_control = b"no-cache" if editable else b"public, max-age=%d" % seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers={"Allow": self._allow})(scope, receive, send)
            return
        if scope["method"] not in self.methods:
            raise HTTPException(405, headers={"Allow": self._allow})
        params = self._reader.read(scope["query_string"], scope["path_params"])
        response: EncodedResponse | Response
        if self.seconds:
            answers: ResponseCache = scope["state"]["answers"]
            response = await answers.get(self, params, scope)
        else:
            services: Services = scope["state"]["services"]
            extras = [extra(scope, receive) for extra in self._extras]
            answer = await self.handler(services, params, *extras)
            response = answer if isinstance(answer, Response) else self._prepared(services, answer)
        await response(scope, receive, send)

    async def prepare(self, services: Services, params: msgspec.Struct) -> EncodedResponse:
        """The answer to `params`, made anew. Raises what the handler raises."""
        return self._prepared(services, await self.handler(services, params))

    def _prepared(self, services: Services, answer: msgspec.Struct) -> EncodedResponse:
        return EncodedResponse(encode(answer), self._cache_control, compress=services.settings.compression)
