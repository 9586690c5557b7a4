"""The answers that are none: what an endpoint may say instead, with its exact words."""

import re
from collections.abc import Iterable
from http import HTTPStatus
from itertools import groupby
from typing import TypeGuard

from api.endpoint import Endpoint
from api.middleware.rate_limit import TOO_MANY
from api.openapi.schemas import JSONSchema
from api.request.params import QUERY_TOO_LONG
from api.response.errors import errors_of
from domain.errors import ErrorSpec
from replays.response import TEXTS, ReplayResponse
from storage.database.drivers import AWAY, SLOW

# What every endpoint may say.
EVERYWHERE: tuple[ErrorSpec, ...] = (QUERY_TOO_LONG, TOO_MANY, AWAY, SLOW)

RETRY_AFTER = {"description": "seconds until asking again may help", "schema": {"type": "integer", "minimum": 0}}

TEXT = {"type": "string", "description": "what is wrong"}
FAULT = {
    "type": "object",
    "description": "What is wrong with one parameter; `type`, `msg` and `ctx` are those of pydantic 2.",
    "properties": {
        "type": {"type": "string"},
        "loc": {
            "type": "array",
            "description": "`query` or `path`, the parameter, and which one of a repeated parameter",
            "items": {"anyOf": [{"type": "string"}, {"type": "integer", "format": "int64"}]},
        },
        "msg": {"type": "string"},
        "input": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "ctx": {"type": "object", "description": "the bounds that `msg` names"},
    },
    "required": ["type", "loc", "msg", "input"],
}
COMPONENTS: dict[str, JSONSchema] = {
    "Failure": {
        "type": "object",
        "description": "What is wrong.",
        "properties": {"status": TEXT},
        "required": ["status"],
    },
    "V2Failure": {
        "type": "object",
        "description": "What is wrong.",
        "properties": {"status": {"const": "error"}, "error": TEXT},
        "required": ["status", "error"],
    },
    "NotHere": {
        "type": "object",
        "description": "No such path, or no such method on it.",
        "properties": {"detail": TEXT},
        "required": ["detail"],
    },
    "Fault": FAULT,
    "InvalidParams": {
        "type": "object",
        "description": "Every parameter that cannot be used, in the order of their documentation.",
        "properties": {
            "detail": {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}},
            "status": {"type": "string", "description": "the first of them in plain words"},
        },
        "required": ["detail", "status"],
    },
}
INVALID = {
    "description": "Parameters that cannot be used.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/InvalidParams"}}},
}
# Of no operation, since none has the method.
METHOD_NOT_ALLOWED = {
    "description": "The path does not take the method; `Allow` names those that it takes.",
    "headers": {"Allow": {"required": True, "schema": {"type": "string"}}},
    "content": {
        "application/json": {
            "schema": {"$ref": "#/components/schemas/NotHere"},
            "example": {"detail": "Method Not Allowed"},
        }
    },
}


def is_file(answer: object) -> TypeGuard[type[ReplayResponse]]:
    """Whether what an endpoint answers with is a file."""
    return isinstance(answer, type) and issubclass(answer, ReplayResponse)


def failures(endpoint: Endpoint, *, second: bool) -> dict[str, JSONSchema]:
    """What an endpoint may say instead of an answer, by status; shaped as in its version."""
    wordings = {*errors_of(endpoint.handler), *EVERYWHERE}
    if is_file(endpoint.answer):
        wordings |= {ErrorSpec(status, text) for status, text in TEXTS.items()}
    found = {
        str(status): _response(status, list(group), second=second)
        for status, group in groupby(sorted(wordings), key=lambda wording: wording.status)
    }
    if endpoint.params.__struct_fields__:
        found["422"] = INVALID
    return found


def _response(status: int, wordings: Iterable[ErrorSpec], *, second: bool) -> JSONSchema:
    texts = [wording.message for wording in wordings]
    schema = "V2Failure" if second else "Failure"
    content = {
        "schema": {"$ref": f"#/components/schemas/{schema}"},
        "examples": {_name(text): {"value": _said(text, second=second)} for text in texts},
    }
    response: JSONSchema = {
        "description": f"{HTTPStatus(status).phrase}: " + " ".join(f"`{text}`" for text in texts),
        "content": {"application/json": content},
    }
    if status in (429, 503):
        response["headers"] = {"Retry-After": {"required": True} | RETRY_AFTER}
    return response


def _said(text: str, *, second: bool) -> dict[str, str]:
    return {"status": "error", "error": text} if second else {"status": text}


def _name(text: str) -> str:
    """A key for an example."""
    return re.sub(r"\W+", "_", text).strip("_")[:40]
