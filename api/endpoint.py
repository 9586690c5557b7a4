"""One URL: from a request to its handler, and from the handler's Struct to bytes."""

from collections.abc import Awaitable, Callable
from typing import Any, get_type_hints

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.answers import JSON
from api.bodies import Body
from api.callers import Caller
from api.params import Reader
from api.services import Services

# Called with the services, its parameters, and what else of the request it declares.
Handler = Callable[..., Awaitable[Any]]

READS = ("GET", "HEAD")
WRITES = ("POST", "PUT")

# What a handler may ask for beside its parameters, found by the annotation.
EXTRAS: dict[type, Callable[[Scope, Receive], Any]] = {Caller: Caller.of, Body: Body}


class Endpoint:
    """An ASGI application around a handler, whose signature is the whole truth about its parameters."""

    def __init__(self, handler: Handler, methods: tuple[str, ...] = READS) -> None:
        self.handler = handler
        self.methods = methods
        self._allow = ", ".join((*methods, "OPTIONS"))
        hints = get_type_hints(handler)
        self.answer: object = hints.pop("return")
        _, params, *extras = hints.values()
        self.params: type[msgspec.Struct] = params
        self._reader = Reader(self.params)
        self._extras = [EXTRAS[extra] for extra in extras]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers={"Allow": self._allow})(scope, receive, send)
            return
        if scope["method"] not in self.methods:
            raise HTTPException(405, headers={"Allow": self._allow})
        services: Services = scope["state"]["services"]
        params = self._reader.read(scope["query_string"], scope["path_params"])
        answer = await self.handler(services, params, *[extra(scope, receive) for extra in self._extras])
        response = answer if isinstance(answer, Response) else JSON(answer)
        await response(scope, receive, send)
