"""Errors on the wire, and the declaration of those that a handler raises."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from api.request.params import InvalidParams
from api.response.encoded import encode
from domain.errors import APIError, ErrorSpec, Unavailable

Message = Annotated[str, Meta(description="The error message.")]
V2_PREFIXES = ("/v2/", "/api/v2/")
# With which the names of the routes of the osu! API v1 begin.
OSU_V1 = "/api/"
OSU_V1_INVALID_KEY = ErrorSpec(401, "Please provide a valid API key.")
# By status, the errors of the osu! API v1, in the words that its clients compare letter for letter.
OSU_V1_ERRORS = {
    401: OSU_V1_INVALID_KEY.message,
    429: "Requesting too fast! Slow your operation, cap'n!",
    503: "Service unavailable.",
}
# Seconds, for failures after which it is not known when to try again.
OSU_V1_RETRY_AFTER = "2"


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


class OsuFailure(msgspec.Struct, frozen=True):
    """An error in the osu! API v1."""

    error: Message


def error_response(scope: Scope, status: int, message: str, headers: Mapping[str, str] | None = None) -> JSON:
    """Return the response to a request that failed, in the form of the API that it was meant for."""
    route = scope.get("route")
    if not (isinstance(route, str) and route.startswith(OSU_V1)):
        return JSON(failure(scope["path"], message), status, headers)
    if status >= 500:
        status, headers = 503, {"Retry-After": OSU_V1_RETRY_AFTER, **(headers or {})}
    return JSON(OsuFailure(OSU_V1_ERRORS.get(status, message)), status, headers)


def response_to(scope: Scope, error: APIError | Unavailable, headers: Mapping[str, str] | None = None) -> JSON:
    """Return the response to a request that raised this error."""
    status = error.status if isinstance(error, APIError) else 503
    retry = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return error_response(scope, status, error.message, {**(headers or {}), **retry})


async def api_error(request: Request, error: Exception) -> JSON:
    """Return the response to an APIError, or to Unavailable."""
    assert isinstance(error, APIError | Unavailable)
    return response_to(request.scope, error)


async def invalid_params(_: Request, error: Exception) -> JSON:
    """Return the response to InvalidParams, which is the same in both versions."""
    assert isinstance(error, InvalidParams)
    return JSON({"detail": error.details, "status": error.plain}, 422)


async def internal_error(request: Request, _: Exception) -> JSON:
    """Return the response to any other exception. The log has the exception, under the request's id."""
    return error_response(request.scope, 500, "Internal server error.")


Handler = TypeVar("Handler", bound=Callable[..., object])


def errors(*specs: ErrorSpec) -> Callable[[Handler], Handler]:
    """Set the attribute `errors` of a handler: those that it raises, without those that any handler may raise."""

    def declare(handler: Handler) -> Handler:
        vars(handler)["errors"] = specs
        return handler

    return declare
