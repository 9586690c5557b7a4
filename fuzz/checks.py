"""What is wrong with a response: compared with /openapi.json, and with what is true of all responses."""

import gzip
import json
import re
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

import jsonschema_rs

from api import protocol
from api.middleware import passthrough
from api.request.osu_v1 import endpoint_of
from domain.errors import ErrorSpec
from fuzz.connection import Response
from fuzz.messages import Request
from tests.support.openapi import dereferenced, matches

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# What is refused before a request reaches the application. These responses have no request id.
REFUSALS = {spec.message: spec.status for spec in vars(protocol).values() if isinstance(spec, ErrorSpec)}
# What docs/operating.md says about requests that are passed on to the game server.
PASSTHROUGH = {spec.message: spec.status for spec in vars(passthrough).values() if isinstance(spec, ErrorSpec)}
# These may come from a busy machine. They are wrong if they come again when nothing else is sent.
TRANSIENT = frozenset({502, 503, 504})
OWN_ID = re.compile(rb"[0-9a-f]{32}")
# Ids that the service takes over from a proxy.
PROXYS_ID = re.compile(rb"(?=.*[0-9A-Za-z])[0-9A-Za-z_-]{1,64}")
UNLIMITED = frozenset({"/health/live", "/health/ready", "/metrics"})


class Problem(NamedTuple):
    """What is wrong, in which requests, and an example of it."""

    what: str
    where: str
    detail: str = ""


class Checker:
    """Checks the responses of a service with this OpenAPI document, which limits the rate of requests or not."""

    def __init__(self, document: Mapping[str, Any], *, limited: bool) -> None:
        self._limited = limited
        self._document = document
        # OpenAPI allows keys that a schema does not describe. Here each key of an object must be described.
        self._components = {
            name: schema | ({"additionalProperties": False} if "properties" in schema else {})
            for name, schema in document["components"]["schemas"].items()
        }
        # Fixed paths before patterns, as in the service.
        paths = sorted(document["paths"].items(), key=lambda item: "{" in item[0])
        self._routes = [(path, re.compile(re.sub(r"{\w+}", "[^/]+", path)), item) for path, item in paths]
        self._validator = cache(self._make_validator)

    def check(self, request: Request | None, response: Response) -> Problem | None:
        """Return what is wrong with the response to a request, which is None if it is not known. None: nothing."""
        problem = self._check(request, response)
        return Problem(problem[0], self.where(request), problem[1]) if problem else None

    def where(self, request: Request | None) -> str:
        """Return the method and the route of a request."""
        if request is None:
            return "unknown requests"
        return f"{request.method.decode('latin-1')} {self._route(request)[0] or 'other paths'}"

    def _route(self, request: Request | None) -> tuple[str, Mapping[str, Any]]:
        """Return the documented route of a request and its operations; nothing for other paths."""
        path = path_of(request) if request else ""
        query = request.target.partition(b"?")[2] if request else b""
        # The fuzzed service has a game server.
        if name := endpoint_of({"path": path, "query_string": query}, has_game_server=True):
            path = "/api/" + name
            return path, next(operations for route, _, operations in self._routes if route == path)
        path = path.removesuffix("/")
        if path.startswith("/api/"):
            path = path.removeprefix("/api")
        if path and not path.startswith(("/v1/", "/v2/")):
            path = "/v1" + path
        for route, pattern, operations in self._routes:
            if pattern.fullmatch(path):
                return route, operations
        return "", {}

    def _check(self, request: Request | None, response: Response) -> tuple[str, str] | None:
        status, shown = response.status, f"{response.status} {response.body[:300]!r}"
        method = request.method.decode("latin-1") if request else ""
        path = path_of(request) if request else ""
        if any(name.startswith(b"x-injected") for name, _ in response.headers):
            return "a header that the client made", str(response.headers)
        if is_refusal(response, head=method == "HEAD"):
            return None if response.closes else ("a refusal that does not close the connection", shown)
        if problem := wrong_request_id(request, response):
            return problem, f"{response.values(b'x-request-id')}: {shown}"
        if any(b"aiohttp" in value for value in response.values(b"server")):
            # The game server's own response, which is passed on as it is.
            return None
        limited = self._limited and request and method != "OPTIONS" and path not in UNLIMITED
        if limited and not response.values(b"ratelimit-limit"):
            return "no RateLimit headers", shown
        if status in (429, 503) and not response.values(b"retry-after"):
            return f"status {status} without Retry-After", shown
        operation = self._route(request)[1].get("get" if method == "HEAD" else method.lower())
        if operation and status != 500:
            return self._documented(operation, response, head=method == "HEAD")
        not_ready = path.startswith("/health/ready") and status == 503
        passed_on = status in PASSTHROUGH.values() and (method == "HEAD" or message_of(response) in PASSTHROUGH)
        if status >= 500 and not (not_ready or passed_on):
            return f"status {status}", shown
        if status >= 400 and method != "HEAD" and not is_error(response):
            return "an error in another form than that of errors", shown
        return None

    def _documented(
        self, operation: Mapping[str, Any], response: Response, *, head: bool
    ) -> tuple[str, str] | None:
        status = str(response.status)
        shown = f"{status} {response.body[:300]!r}"
        if status not in operation["responses"]:
            return f"status {status}, which is not documented", shown
        documented = dereferenced(operation["responses"][status], self._document)
        for name in documented.get("headers", {}):
            if not response.values(name.lower().encode()):
                return f"status {status} without {name}", shown
        content = documented.get("content", {})
        if not content or head:
            return ("a body where there is none", shown) if response.body else None
        media_type = b",".join(response.values(b"content-type")).decode("latin-1")
        if media_type not in content:
            return f"the media type {media_type!r}", shown
        if status == "206":
            return wrong_range(response)
        if media_type != "application/json":
            return None
        try:
            body = json.loads(decoded(response))
        except ValueError as error:
            return "no JSON", f"{error}: {shown}"
        if errors := [
            error.message for error in self._validator(json.dumps(content[media_type]["schema"])).iter_errors(body)
        ]:
            return "a body that its schema forbids", f"{errors[0][:300]}: {shown}"
        examples = content[media_type].get("examples")
        if examples and not any(matches(example["value"], body) for example in examples.values()):
            return "a message that is not documented", shown
        return None

    def _make_validator(self, schema: str) -> jsonschema_rs.Draft202012Validator:
        return jsonschema_rs.Draft202012Validator(
            json.loads(schema) | {"components": {"schemas": self._components}}
        )


def path_of(request: Request) -> str:
    """Return the decoded path of a request, empty if its target is not just a path and a query."""
    if not request.path.startswith(b"/") or b"#" in request.target:
        return ""
    return unquote_to_bytes(request.path.partition(b"?")[0]).decode("utf-8", "replace")


def wrong_request_id(request: Request | None, response: Response) -> str:
    """Return what is wrong with the request id, empty if nothing is."""
    ids = response.values(b"x-request-id")
    if len(ids) != 1:
        return "several X-Request-ID" if ids else "no X-Request-ID"
    sent = request.values(b"x-request-id") if request else ids
    if len(sent) == 1 and PROXYS_ID.fullmatch(sent[0]):
        return "" if ids == sent else "another X-Request-ID than the proxy's"
    return "" if OWN_ID.fullmatch(ids[0]) else "an X-Request-ID that is neither our own nor the proxy's"


def decoded(response: Response) -> bytes:
    """Return the body without its content encoding. Raise ValueError."""
    match response.values(b"content-encoding"):
        case []:
            return response.body
        case [b"gzip"]:
            return gzip.decompress(response.body)
        case [b"zstd"]:
            return zstd.decompress(response.body)
        case other:
            raise ValueError(f"the encoding {other}")


def message_of(response: Response) -> str:
    """Return the message of an error, empty if there is none."""
    if response.status < 400:
        return ""
    try:
        body = json.loads(response.body)
        return str(body.get("error", body.get("status", "")))
    except (ValueError, AttributeError):
        return ""


def is_refusal(response: Response, *, head: bool) -> bool:
    """Return whether the response is one to a request that was refused before it reached the application."""
    if head:
        return not response.values(b"x-request-id") and response.status in REFUSALS.values()
    return REFUSALS.get(message_of(response)) == response.status


def is_error(response: Response) -> bool:
    """Return whether the body is one of the forms of errors, or a state of the service."""
    try:
        body = json.loads(decoded(response))
    except ValueError:
        return False
    json_type = response.values(b"content-type") == [b"application/json"]
    return json_type and isinstance(body, dict) and not body.keys().isdisjoint({"status", "detail", "error"})


def wrong_range(response: Response) -> tuple[str, str] | None:
    """Return what is wrong with a part of a file."""
    ranges = response.values(b"content-range")
    match = re.fullmatch(rb"bytes (\d+)-(\d+)/(\d+)", ranges[0]) if len(ranges) == 1 else None
    if match is None:
        return "a wrong Content-Range", str(ranges)
    first, last, size = map(int, match.groups())
    fits = first <= last < size and last - first + 1 == len(response.body)
    return None if fits else ("a wrong Content-Range", f"{ranges} for {len(response.body)} bytes")
