"""One URL: from a request to its handler, and from the handler's Struct to bytes."""

from collections.abc import Awaitable, Callable
from typing import Any, get_type_hints

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.answers import JSON
from api.params import Reader
from api.services import Services

Handler = Callable[[Services, Any], Awaitable[msgspec.Struct | Response]]

READS = ("GET", "HEAD")


class Endpoint:
    """An ASGI application around a handler, whose signature is the whole truth about its parameters."""

    def __init__(self, handler: Handler, methods: tuple[str, ...] = READS) -> None:
        self.handler = handler
        self.methods = methods
        self._allow = ", ".join((*methods, "OPTIONS"))
        hints = get_type_hints(handler)
        self.answer: type[msgspec.Struct] = hints.pop("return")
        self.params: type[msgspec.Struct] = list(hints.values())[1]
        self._reader = Reader(self.params)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers={"Allow": self._allow})(scope, receive, send)
            return
        if scope["method"] not in self.methods:
            raise HTTPException(405, headers={"Allow": self._allow})
        services: Services = scope["state"]["services"]
        answer = await self.handler(services, self._reader.read(scope["query_string"], scope["path_params"]))
        response = answer if isinstance(answer, Response) else JSON(answer)
        await response(scope, receive, send)
