"""How answers and errors look on the wire."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from api.params import InvalidParams
from domain.errors import Refusal, Unavailable

V2_PREFIXES = ("/v2/", "/api/v2/")

encode = msgspec.json.Encoder().encode


class Success(msgspec.Struct, frozen=True, kw_only=True, tag_field="status", tag="success"):
    """The envelope of most answers: `"status": "success"` and what was asked for."""


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
    """The answer to a Refusal."""
    assert isinstance(error, Refusal)
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
