"""The OpenAPI description of one endpoint, derived from its handler's signature and docstrings."""

from collections.abc import Mapping, Sequence
from inspect import cleandoc, getdoc
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from api.endpoint import Endpoint
from api.openapi.failures import NOT_MODIFIED, error_responses, is_file, is_osu_v1, is_stream, shared
from api.openapi.schemas import NULL, JSONSchema, Schemas, schema_of_params
from api.request.auth import Caller
from api.request.body import Body
from api.response.cache import READS
from api.response.encoded import JSONInParts

# The parameters, the body and the response of a request to the demo world.
Example = Mapping[str, Any]

FILE = {"schema": {"type": "string", "format": "binary"}}


def operations(endpoint: Endpoint, schemas: Schemas, example: Example) -> dict[str, JSONSchema]:
    """Return the operations on the path of an endpoint by method."""
    summary, _, details = (getdoc(endpoint.handler) or "").partition("\n")
    # Not getdoc: without a docstring, a Struct has that of msgspec.
    of_params = cleandoc(vars(endpoint.params).get("__doc__") or "") if endpoint.params.__struct_fields__ else ""
    description = "\n\n".join(text.strip() for text in (details, of_params) if text)
    described: JSONSchema = {
        # Summaries are plain texts, unlike descriptions.
        "summary": summary.removesuffix(".").replace("`", ""),
        "tags": [tag(endpoint)],
        "parameters": _parameters(endpoint, example.get("params", {})),
        "responses": _success_responses(endpoint, schemas, example) | error_responses(endpoint),
    }
    if description:
        described["description"] = description
    if Caller in get_type_hints(endpoint.handler).values():
        described["security"] = [{"apiKey": []}]
    if is_osu_v1(endpoint):
        # Without a key, unless the operator requires one.
        described["security"] = [{}, {"osuApiKey": []}]
    if types := body_types(endpoint):
        body_example = {"example": example["body"]} if "body" in example else {}
        content = {media_type: {"schema": schemas.of(kind)} | body_example for media_type, kind in types.items()}
        described["requestBody"] = {"required": True, "content": content}
    methods = [method for method in endpoint.methods if method != "HEAD"]
    return {method.lower(): {"operationId": _operation_id(endpoint, method)} | described for method in methods}


def tag(endpoint: Endpoint) -> str:
    """Return the tag that an endpoint is listed under: the name of its module, or of the osu! API v1."""
    if is_osu_v1(endpoint):
        return "osu! API v1"
    module = endpoint.handler.__module__.rpartition(".")[2]
    return f"{module} (v2)" if endpoint.route.startswith("/v2/") else module


def types_of(endpoint: Endpoint) -> list[Any]:
    """Return the types of an endpoint's response and request body that have a schema."""
    kind = endpoint.response_type
    if is_file(kind):
        response: Sequence[Any] = ()
    elif is_stream(kind):
        response = [*dict.fromkeys(kind.data.values())]
    else:
        response = sent_types(endpoint)
    return [*response, *body_types(endpoint).values()]


def sent_types(endpoint: Endpoint) -> tuple[Any, ...]:
    """Return the types of an endpoint's responses in JSON. A subclass of Response says them itself."""
    kind = endpoint.response_type
    return kind.sends if isinstance(kind, type) and issubclass(kind, JSONInParts) else (kind,)


def body_types(endpoint: Endpoint) -> Mapping[str, Any]:
    """Return the types of the request body by media type; empty for an endpoint that reads no body."""
    for hint in get_type_hints(endpoint.handler, include_extras=True).values():
        if get_origin(hint) is Annotated and get_args(hint)[0] is Body:
            types: Mapping[str, Any] = get_args(hint)[1]
            return types
    return {}


def _operation_id(endpoint: Endpoint, method: str) -> str:
    prefix = "v2_" if endpoint.route.startswith("/v2/") else "osu_v1_" if is_osu_v1(endpoint) else ""
    name = prefix + endpoint.handler.__name__
    # Of POST and PUT, which do the same, the first has the plain name.
    return name if method == endpoint.methods[0] else f"{name}_{method.lower()}"


def _parameters(endpoint: Endpoint, examples: Example) -> list[JSONSchema]:
    """Return the parameters: of the path where the route has them in braces, else of the query."""
    component = schema_of_params(endpoint.params)
    return [
        _parameter(name, field, f"{{{name}}}" in endpoint.route, name in component["required"], examples)
        for name, field in component["properties"].items()
    ]


def _parameter(name: str, field: JSONSchema, in_path: bool, required: bool, examples: Example) -> JSONSchema:
    schema = _without_null(field)
    schema.pop("description", None)
    parameter = {
        "name": name,
        "in": "path" if in_path else "query",
        "required": required,
        "description": field.get("description", ""),
        "schema": schema,
    }
    if not in_path and not required:
        # An empty value counts as absent.
        parameter["allowEmptyValue"] = True
    if "explode" in schema:
        # Several values in one, separated by commas.
        parameter |= {"style": "form", "explode": schema.pop("explode")}
    return parameter | ({"example": examples[name]} if name in examples else {})


def _without_null(field: JSONSchema) -> JSONSchema:
    """Return the schema of a parameter that is present. Null stands for absent; a query string cannot say it."""
    (schema,) = [option for option in field.get("anyOf", [field]) if option != NULL]
    # int64 would be a bound for an integer that has none.
    unbounded = schema.get("type") == "integer" and "maximum" not in schema
    return {key: value for key, value in schema.items() if not (unbounded and key == "format")}


def _success_responses(endpoint: Endpoint, schemas: Schemas, example: Example) -> dict[str, JSONSchema]:
    kind = endpoint.response_type
    if is_file(kind):
        content: JSONSchema = {str(kind.media_type): FILE}
        return {
            "200": {"description": "The file.", "content": content},
            "206": {"description": "The part of the file that `Range` selects.", "content": content},
            "304": shared(NOT_MODIFIED),
        }
    if is_stream(kind):
        data = {name: schemas.of(of_event) for name, of_event in kind.data.items()}
        # OpenAPI 3.1 cannot describe the parts of a stream.
        events = {"schema": {"type": "string"}, "x-event-data": data}
        return {"200": {"description": "The stream.", "content": {str(kind.media_type): events}}}
    sent = sent_types(endpoint)
    options = [schemas.of(kind) for kind in sent]
    schema = options[0] if len(options) == 1 else {"anyOf": options}
    json = {"schema": schema} | ({"example": example["answer"]} if "answer" in example else {})
    items = get_args(sent[0]) if get_origin(sent[0]) is list else ()
    description = (getdoc(items[0] if items else sent[0]) or "The response.").partition("\n")[0]
    if items:
        description = f"A list, each item: {description[0].lower()}{description[1:]}"
    responses: dict[str, JSONSchema] = {
        "200": {"description": description, "content": {"application/json": json}},
    }
    return responses | ({"304": shared(NOT_MODIFIED)} if endpoint.methods == READS else {})
