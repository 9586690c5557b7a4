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
from domain.errors import ErrorSpec
from tests.fuzz.connection import Response
from tests.fuzz.messages import Request
from tests.support.openapi import matches

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
PROXYS_ID = re.compile(rb"[0-9A-Za-z_-]{1,64}")
SITE = re.compile(r"/|/docs(/.*)?|/openapi\.json|/metrics|/health/(live|ready)")
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
        self._components = {
            name: schema | ({"additionalProperties": False} if "properties" in schema else {})
            for name, schema in document["components"]["schemas"].items()
        }
        # Fixed paths before patterns, as in the service.
        paths = sorted(document["paths"].items(), key=lambda item: "{" in item[0])
        self._routes = [
            (path, re.compile(re.sub(r"{\w+}", "[^/]+", path)), operations) for path, operations in paths
        ]
        self._validator = cache(self._make_validator)

    def check(self, request: Request | None, response: Response) -> Problem | None:
        """Return what is wrong with the response to a request, which is None if it is not known. None: nothing."""
        path = path_of(request) if request else None
        operations = self._route(path)[1] if path is not None else {}
        problem = self._check(request, response, path, operations)
        return Problem(problem[0], self.where(request), problem[1]) if problem else None

    def where(self, request: Request | None) -> str:
        """Return the method and the route of a request."""
        path = path_of(request) if request else None
        route = self._route(path)[0] if path is not None else ""
        method = request.method.decode("latin-1") if request else "?"
        return f"{method} {route or 'other paths'}"

    def _route(self, path: str) -> tuple[str, Mapping[str, Any]]:
        path = path.removesuffix("/")
        if path.startswith("/api/"):
            path = path.removeprefix("/api")
        if not path.startswith(("/v1/", "/v2/")):
            path = "/v1" + path
        for route, pattern, operations in self._routes:
            if pattern.fullmatch(path):
                return route, operations
        return "", {}

    def _check(
        self,
        request: Request | None,
        response: Response,
        path: str | None,
        operations: Mapping[str, Any],
    ) -> tuple[str, str] | None:
        shown = f"{response.status} {response.body[:300]!r}"
        head = request is not None and request.method == b"HEAD"
        if any(name.startswith(b"x-injected") for name, _ in response.headers):
            return "a header that the client made", str(response.headers)
        if is_refusal(response, head=head):
            return None if response.closes else ("a refusal that does not close the connection", shown)
        if problem := self._request_id(request, response):
            return problem, f"{response.values(b'x-request-id')}: {shown}"
        if any(b"aiohttp" in value for value in response.values(b"server")):
            # The game server's own response, which is passed on as it is.
            return None
        if response.status == 500:
            return "status 500", shown
        if (
            self._limited
            and request
            and path not in UNLIMITED
            and response.status != 204
            and not response.values(b"ratelimit-limit")
        ):
            return "no RateLimit headers", shown
        if response.status in (429, 503) and not response.values(b"retry-after"):
            return f"status {response.status} without Retry-After", shown
        operation = (
            operations.get(
                {"HEAD": "get"}.get(request.method.decode("latin-1"), request.method.decode("latin-1").lower())
            )
            if request
            else None
        )
        if operation and not (request and preflight(request)):
            return self._documented(operation, response, head=head)
        if response.status > 500 and PASSTHROUGH.get(message_of(response)) != response.status and not head:
            if not (path in ("/health/ready", "/health/ready/") and response.status == 503):
                return f"status {response.status}, which is not documented", shown
        if response.status >= 400 and not head and not is_error(response):
            return "an error in another form than that of errors", shown
        return None

    def _request_id(self, request: Request | None, response: Response) -> str:
        """Return what is wrong with the request id, empty if nothing is."""
        ids = response.values(b"x-request-id")
        if len(ids) != 1:
            return "no X-Request-ID" if not ids else "several X-Request-ID"
        sent = request.values(b"x-request-id") if request else []
        if request and len(sent) == 1 and PROXYS_ID.fullmatch(sent[0]) and re.search(rb"[0-9A-Za-z]", sent[0]):
            return "" if ids == sent else "another X-Request-ID than the proxy's"
        return (
            ""
            if OWN_ID.fullmatch(ids[0]) or (not request and PROXYS_ID.fullmatch(ids[0]))
            else "an X-Request-ID of the client"
        )

    def _documented(
        self, operation: Mapping[str, Any], response: Response, *, head: bool
    ) -> tuple[str, str] | None:
        status = str(response.status)
        shown = f"{status} {response.body[:300]!r}"
        if status not in operation["responses"]:
            return f"status {status}, which is not documented", shown
        documented = operation["responses"][status]
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


def path_of(request: Request) -> str | None:
    """Return the decoded path of a request, None if its target is not just a path and a query."""
    path = request.path.partition(b"?")[0]
    if not path.startswith(b"/") or b"#" in request.target:
        return None
    return unquote_to_bytes(path).decode("utf-8", "replace")


def preflight(request: Request) -> bool:
    return request.method == b"OPTIONS"


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
    return json_type and isinstance(body, dict) and not body.keys().isdisjoint({"status", "detail"})


def wrong_range(response: Response) -> tuple[str, str] | None:
    """Return what is wrong with a part of a file."""
    ranges = response.values(b"content-range")
    match = re.fullmatch(rb"bytes (\d+)-(\d+)/(\d+)", ranges[0]) if len(ranges) == 1 else None
    if match is None:
        return "a wrong Content-Range", str(ranges)
    first, last, size = map(int, match.groups())
    fits = first <= last < size and last - first + 1 == len(response.body)
    return None if fits else ("a wrong Content-Range", f"{ranges} for {len(response.body)} bytes")
