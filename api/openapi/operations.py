"""One endpoint, as OpenAPI describes it: all of it read off the handler."""

import sys
from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from api.endpoint import Endpoint
from api.openapi.failures import failures, is_file
from api.openapi.parameters import parameters
from api.openapi.schemas import JSONSchema, Schemas
from api.request.auth import Caller
from api.request.body import Body

# Of an endpoint: the parameters, the body and the answer of a request to the demo world.
Example = Mapping[str, Any]

NOT_MODIFIED = {"description": "The client has the answer: `If-None-Match` names its `ETag`."}
FILE = {"schema": {"type": "string", "format": "binary"}}


def operation(
    endpoint: Endpoint, name: str, schemas: Schemas, example: Example, *, second: bool
) -> dict[str, JSONSchema]:
    """The operations on the path `name`, by method. `second`: of the second version of the API."""
    summary, _, more = (endpoint.handler.__doc__ or "").partition("\n")
    described = {
        "summary": summary.removesuffix("."),
        "description": "\n\n".join(_paragraphs(summary, more, endpoint)),
        "tags": [tag(endpoint)],
        "parameters": parameters(endpoint.params, name, schemas, example.get("params", {})),
        "responses": _answers(endpoint, schemas, example) | failures(endpoint, second=second),
    }
    if Caller in _extras(endpoint):
        described["security"] = [{"apiKey": []}]
    types = body_types(endpoint)
    if types:
        described["requestBody"] = {"required": True, "content": _bodies(types, schemas, example)}
    methods = [method.lower() for method in endpoint.methods if method != "HEAD"]
    return {method: {"operationId": _id(endpoint, method, second=second)} | described for method in methods}


def tag(endpoint: Endpoint) -> str:
    """Under what an endpoint is listed: its module."""
    *packages, module = endpoint.handler.__module__.split(".")
    return f"{module} (v2)" if "v2" in packages else module


def tag_description(endpoint: Endpoint) -> str:
    """What the module of an endpoint is about."""
    return sys.modules[endpoint.handler.__module__].__doc__ or ""


def types_of(endpoint: Endpoint) -> list[Any]:
    """What an endpoint answers with, and what it takes in a body."""
    answer = [] if is_file(endpoint.answer) else [endpoint.answer]
    return [*answer, *body_types(endpoint).values()]


def body_types(endpoint: Endpoint) -> Mapping[str, Any]:
    """What the body of a request holds, by its media type; empty when no body is read."""
    for hint in get_type_hints(endpoint.handler, include_extras=True).values():
        if get_origin(hint) is Annotated and get_args(hint)[0] is Body:
            types: Mapping[str, Any] = get_args(hint)[1]
            return types
    return {}


def _extras(endpoint: Endpoint) -> set[Any]:
    return set(get_type_hints(endpoint.handler).values())


def _id(endpoint: Endpoint, method: str, *, second: bool) -> str:
    name = ("v2_" if second else "") + endpoint.handler.__name__
    # Of two methods that do the same the first has the plain name.
    return name if method.upper() == endpoint.methods[0] else f"{name}_{method}"


def _paragraphs(summary: str, more: str, endpoint: Endpoint) -> list[str]:
    own = "\n".join(line.strip() for line in more.strip().splitlines())
    of_params = (endpoint.params.__doc__ or "") if endpoint.params.__struct_fields__ else ""
    return [part for part in (summary, own, of_params) if part]


def _answers(endpoint: Endpoint, schemas: Schemas, example: Example) -> dict[str, JSONSchema]:
    answer = endpoint.answer
    if not is_file(answer):
        content = {"schema": schemas.of(answer)}
        if "answer" in example:
            content["example"] = example["answer"]
        description = (getattr(answer, "__doc__", None) or "The answer.").partition("\n")[0]
        answers = {"200": {"description": description, "content": {"application/json": content}}}
        # For how many seconds an answer is kept; one that is kept has an ETag.
        return answers | ({"304": NOT_MODIFIED} if getattr(endpoint, "seconds", 0) else {})
    media_type = str(answer.media_type)
    return {
        "200": {"description": "The file.", "content": {media_type: FILE}},
        "206": {"description": "The part of the file that `Range` asks for.", "content": {media_type: FILE}},
        "304": NOT_MODIFIED,
    }


def _bodies(types: Mapping[str, Any], schemas: Schemas, example: Example) -> dict[str, JSONSchema]:
    examples = {"example": example["body"]} if "body" in example else {}
    return {media_type: {"schema": schemas.of(kind)} | examples for media_type, kind in types.items()}
