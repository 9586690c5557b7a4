"""How answers and errors look on the wire."""

from collections.abc import Callable
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from api.request.params import InvalidParams
from api.response.encoded import encode
from domain.errors import APIError, ErrorSpec, Unavailable

V2_PREFIXES = ("/v2/", "/api/v2/")


class JSON(Response):
    """A JSON answer of anything msgspec encodes."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The bytes of `content`; an answer that is bytes is encoded already."""
        return content if isinstance(content, bytes) else encode(content)


def failure(path: str, message: str) -> dict[str, str]:
    """What the version of the API at `path` says in place of an answer."""
    if path.startswith(V2_PREFIXES):
        return {"status": "error", "error": message}
    return {"status": message}


async def refused(request: Request, error: Exception) -> JSON:
    """The answer to a APIError."""
    assert isinstance(error, APIError)
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return JSON(failure(request.scope["path"], error.message), error.status, headers=headers)


async def invalid(_: Request, error: Exception) -> JSON:
    """The answer to InvalidParams."""
    assert isinstance(error, InvalidParams)
    return JSON({"detail": error.details, "status": error.plain}, 422)


async def unavailable(request: Request, error: Exception) -> JSON:
    """The answer to Unavailable."""
    assert isinstance(error, Unavailable)
    answer = failure(request.scope["path"], error.message)
    return JSON(answer, 503, headers={"Retry-After": str(error.retry_after)})


async def internal_error(request: Request, _: Exception) -> JSON:
    """The answer to a fault of our own; the log tells which, under the request id."""
    return JSON(failure(request.scope["path"], "Internal server error."), 500)


Handler = TypeVar("Handler", bound=Callable[..., object])


def errors(*specs: ErrorSpec) -> Callable[[Handler], Handler]:
    """Declares what a handler may say, beyond what its parameters and the database may make any handler say."""

    def declare(handler: Handler) -> Handler:
        vars(handler)["errors"] = specs
        return handler

    return declare


def errors_of(handler: Callable[..., object]) -> tuple[ErrorSpec, ...]:
    """What was declared for a handler."""
    return getattr(handler, "errors", ())
