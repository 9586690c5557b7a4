"""Errors on the wire, and the declaration of those that a handler raises."""

from collections.abc import Callable
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from api.request.params import InvalidParams
from api.response.encoded import encode
from domain.errors import APIError, ErrorSpec, Unavailable

V2_PREFIXES = ("/v2/", "/api/v2/")


class JSON(Response):
    """A JSON response with anything that msgspec encodes."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return encode(content)


def failure(path: str, message: str) -> dict[str, str]:
    """Return the body of an error in the version of the API that `path` belongs to."""
    if path.startswith(V2_PREFIXES):
        return {"status": "error", "error": message}
    return {"status": message}


async def api_error(request: Request, error: Exception) -> JSON:
    """Return the response to an APIError, or to Unavailable."""
    assert isinstance(error, APIError | Unavailable)
    status = error.status if isinstance(error, APIError) else 503
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return JSON(failure(request.scope["path"], error.message), status, headers=headers)


async def invalid_params(_: Request, error: Exception) -> JSON:
    """Return the response to InvalidParams, which is the same in both versions."""
    assert isinstance(error, InvalidParams)
    return JSON({"detail": error.details, "status": error.plain}, 422)


async def internal_error(request: Request, _: Exception) -> JSON:
    """Return the response to any other exception. The log has the exception, under the request's id."""
    return JSON(failure(request.scope["path"], "Internal server error."), 500)


Handler = TypeVar("Handler", bound=Callable[..., object])


def errors(*specs: ErrorSpec) -> Callable[[Handler], Handler]:
    """Set the attribute `errors` of a handler: those that it raises, without those that any handler may raise."""

    def declare(handler: Handler) -> Handler:
        vars(handler)["errors"] = specs
        return handler

    return declare
