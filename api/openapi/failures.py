"""The error responses of an endpoint, with their exact messages."""

import re
from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus
from itertools import groupby
from typing import Annotated, Any, Literal, TypeGuard

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.endpoint import Endpoint
from api.middleware.rate_limit import TOO_MANY
from api.middleware.request_log import RESTARTING
from api.openapi.schemas import REF, JSONSchema
from api.request.osu_v1 import RECOGNISED_BY
from api.request.params import QUERY_TOO_LONG
from api.response.errors import OSU_V1, OSU_V1_ERRORS, OSU_V1_INVALID_KEY, Message, OsuFailure, failure
from api.response.event_stream import EventStream
from domain.errors import ErrorSpec
from replays.response import TEXTS, ReplayResponse
from storage.database.database import AWAY, SLOW

# Errors that every endpoint may return.
COMMON: tuple[ErrorSpec, ...] = (QUERY_TOO_LONG, TOO_MANY, AWAY, SLOW, RESTARTING)
OSU_V1_COMMON = (
    QUERY_TOO_LONG,
    OSU_V1_INVALID_KEY,
    *(ErrorSpec(status, OSU_V1_ERRORS[status]) for status in (429, 503)),
)
# Endpoints of the osu! API v1 whose names are also those of endpoints of version 1.
OF_TWO_VERSIONS = {OSU_V1 + name for name in RECOGNISED_BY}

RESPONSES = "#/components/responses/"
# The names of the responses with these errors, by status.
COMMON_NAMES = {401: "InvalidKey", 414: "QueryTooLong", 429: "TooManyRequests", 503: "Unavailable"}

RETRY_AFTER = {
    "required": True,
    "description": "Seconds to wait before the next attempt.",
    "schema": {"type": "integer", "minimum": 0},
}


class Failure(msgspec.Struct):
    """An error in version 1."""

    status: Message


class V2Failure(msgspec.Struct):
    """An error in version 2."""

    status: Annotated[Literal["error"], Meta(description="Always `error`.")]
    error: Message


class RoutingError(msgspec.Struct):
    """The path does not exist, or does not accept the method."""

    detail: Message


class InvalidParam(msgspec.Struct):
    """An invalid value of a parameter. `type`, `msg` and `ctx` are those of pydantic 2."""

    type: Annotated[str, Meta(description="The kind of error, such as `int_parsing` or `missing`.")]
    loc: Annotated[
        list[str | int],
        Meta(description="`query` or `path`, the name of the parameter and, if it was repeated, the index."),
    ]
    msg: Message
    input: Annotated[str | None, Meta(description="The value as sent.")]
    ctx: Annotated[dict[str, Any], Meta(description="The limits that `msg` mentions.")] | UnsetType = UNSET


class InvalidParams(msgspec.Struct):
    """Invalid parameters, in the order in which the parameters are documented."""

    detail: Annotated[list[InvalidParam], Meta(description="The invalid parameters.")]
    status: Annotated[str, Meta(description="A message about the first of them.")]


ERROR_TYPES = (Failure, V2Failure, OsuFailure, RoutingError, InvalidParams)
INVALID = {
    "description": "Invalid parameters.",
    "content": {"application/json": {"schema": {"$ref": REF + "InvalidParams"}}},
}
NOT_MODIFIED = {
    "description": "Not modified: the client has the current version, `If-None-Match` names its `ETag`."
}
# No operation refers to this response, because only accepted methods have an operation.
METHOD_NOT_ALLOWED = {
    "description": "The path does not accept the method. `Allow` lists the methods that it accepts.",
    "headers": {"Allow": {"required": True, "schema": {"type": "string"}}},
    "content": {
        "application/json": {
            "schema": {"$ref": REF + "RoutingError"},
            "example": {"detail": "Method Not Allowed"},
        }
    },
}


def is_osu_v1(endpoint: Endpoint) -> bool:
    """Return whether an endpoint belongs to the osu! API v1."""
    return endpoint.route.startswith(OSU_V1)


def is_file(kind: object) -> TypeGuard[type[ReplayResponse]]:
    """Return whether an endpoint whose handler returns `kind` sends a file."""
    return isinstance(kind, type) and issubclass(kind, ReplayResponse)


def is_stream(kind: object) -> TypeGuard[type[EventStream]]:
    """Return whether an endpoint whose handler returns `kind` sends a stream of events."""
    return isinstance(kind, type) and issubclass(kind, EventStream)


def error_responses(endpoint: Endpoint) -> dict[str, JSONSchema]:
    """Return the error responses of an endpoint by status, in the form of its version of the API."""
    specs = {*getattr(endpoint.handler, "errors", ()), *(OSU_V1_COMMON if is_osu_v1(endpoint) else COMMON)}
    if is_file(endpoint.response_type):
        specs |= {ErrorSpec(status, text) for status, text in TEXTS.items()}
    responses = {
        str(status): shared(_response(status, messages, endpoint.route)) for status, messages in _by_status(specs)
    }
    # Without the parameters by which one for the osu! API v1 is recognised, a request is one for version 1.
    if endpoint.params.__struct_fields__ and (not is_osu_v1(endpoint) or endpoint.route in OF_TWO_VERSIONS):
        responses["422"] = shared(INVALID)
    return responses


def shared(response: JSONSchema) -> JSONSchema:
    """Return a reference to a response if it is one of SHARED, else the response itself."""
    for name, other in SHARED.items():
        if response == other:
            return {"$ref": RESPONSES + name}
    return response


def _by_status(specs: Iterable[ErrorSpec]) -> Iterator[tuple[int, list[str]]]:
    """Yield each status with the messages that errors have with it."""
    for status, group in groupby(sorted(specs), key=lambda spec: spec.status):
        yield status, [spec.message for spec in group]


def _response(status: int, messages: Sequence[str], route: str) -> JSONSchema:
    kind = "OsuFailure" if route.startswith(OSU_V1) else "V2Failure" if route.startswith("/v2/") else "Failure"
    bodies = [{"error": text} if route.startswith(OSU_V1) else failure(route, text) for text in messages]
    content = {
        "schema": {"$ref": REF + kind},
        "examples": {_example_name(text): {"value": body} for text, body in zip(messages, bodies, strict=True)},
    }
    response: JSONSchema = {
        "description": f"{HTTPStatus(status).phrase}: " + " ".join(f"`{text}`" for text in messages),
        "content": {"application/json": content},
    }
    if status in (429, 503):
        response["headers"] = {"Retry-After": RETRY_AFTER}
    return response


def _example_name(text: str) -> str:
    return re.sub(r"\W+", "_", text).strip("_")[:40]


# The responses that operations have in common, by their names in the document.
SHARED: dict[str, JSONSchema] = {
    "InvalidParams": INVALID,
    "MethodNotAllowed": METHOD_NOT_ALLOWED,
    "NotModified": NOT_MODIFIED,
    **{
        version + COMMON_NAMES[status]: _response(status, messages, route)
        for version, route, specs in (
            ("", "/v1/", COMMON),
            ("V2", "/v2/", COMMON),
            ("Osu", OSU_V1, OSU_V1_COMMON),
        )
        for status, messages in _by_status(specs)
    },
}
