"""Generates the cases of a run: each follows from the seed and its number alone, so that it can be repeated.

Schemathesis, with which tests/slow/ tests the service too, makes some 30 requests a second, and only valid HTTP.
"""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

from fuzz import bodies
from fuzz.messages import Case, Header, Request
from fuzz.samples import CHUNKS, ENCODED, GREETINGS, HEADERS, LINES, METHODS, PATHS, VERSIONS
from fuzz.values import KEYS, header_value, hostile, hostile_encoded, valid

V1_MOUNTS = (b"/v1/", b"/", b"/api/", b"/api/v1/")
V2_MOUNTS = (b"/v2/", b"/api/v2/")
# These take up to a hundred times longer than others.
WEIGHTS = {"/v1/calculate_pp": 0.3, "/v1/calculate_pp_batch": 0.2, "/v1/set_avatar": 0.3}
NEED_KEY = ("set_", "calculate_", "get_friends")
CONDITIONAL = ("Range", "If-Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since")
WEBSOCKET = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: eA==")
# Endings of a path, and of the name of a parameter, that are often treated as none.
ENDINGS = b"/ // %2f /. /.. %00 %0a ; %20".split()
NAME_ENDINGS = b"|[]=1|[0]=1|%5B%5D=1|%00=1|==1|%3D1|.x=1|\xc3\xa9=1|%20=1".split(b"|")


class Operation(NamedTuple):
    """An operation of the OpenAPI document."""

    method: str
    route: str
    parameters: Sequence[dict[str, Any]]


class Generator:
    """Makes the cases of a seed for the operations of an OpenAPI document."""

    def __init__(self, seed: int, document: Mapping[str, Any]) -> None:
        self._seed = seed
        self._operations = [
            Operation(method.upper(), route, operation["parameters"])
            for route, item in document["paths"].items()
            for method, operation in item.items()
            # A stream has no end.
            if "text/event-stream" not in operation["responses"].get("200", {}).get("content", {})
        ]
        self._weights = [WEIGHTS.get(operation.route, 1.0) for operation in self._operations]

    @property
    def operations(self) -> list[str]:
        """The method and the route of each operation."""
        return [f"{operation.method} {operation.route}" for operation in self._operations]

    def case(self, number: int) -> Case:
        """Return the case with this number."""
        random = Random(f"{self._seed}/{number}")
        kind = random.random()
        if kind < 0.86:
            count = 1 if kind < 0.8 else random.choice((2, 2, 3, 5, 20))
            case = Case(number, tuple(self._request(random, f"fuzz-{number}-{index}") for index in range(count)))
        else:
            case = Case(number, raw=self._raw(random, f"fuzz-{number}"))
        if random.random() < 0.05:
            size = len(case.encode())
            cuts = sorted(random.randint(0, size) for _ in range(random.choice((1, 2, 5))))
            return case.cut(*cuts)
        return case

    def _request(self, random: Random, request_id: str) -> Request:
        """Return a request with the right framing. The service's log has it under the request id."""
        headers: list[Header] = [(b"Host", b"api.example.test")]
        if random.random() < 0.9:
            headers.append((b"X-Request-ID", request_id.encode()))
        if random.random() < 0.85:
            method, route, parameters = random.choices(self._operations, self._weights)[0]
            path = mounted(random, route, parameters)
            query = [part for parameter in parameters for part in parts_of(random, parameter)]
            if random.random() < (0.9 if any(name in route for name in NEED_KEY) else 0.05):
                key = random.choice((b"Bearer ", b"", b"bearer ")) + random.choice(list(KEYS)).encode()
                headers.append((b"Authorization", key))
        else:
            method, route, query = "GET", "", []
            path = random.choice(PATHS)
            if random.random() < 0.3:
                path = b"/fork/" + hostile_encoded(random)[:5000]
        if random.random() < 0.2:
            query.append(unknown_parameter(random))
        if random.random() < 0.05:
            random.shuffle(query)
            query *= random.choice((1, 2, 30))
        sent = method.encode()
        if random.random() < 0.12:
            sent = random.choice(METHODS)
        elif method == "GET" and random.random() < 0.1:
            sent = b"HEAD"
        body, chunk = None, 0
        if "set_" in route or random.random() < 0.06:
            body, content_type = (bodies.avatar if "avatar" in route else bodies.profile)(random)
            headers.append((b"Content-Type", content_type))
            chunk = random.choice((0, 0, 0, 1 << 16, max(1, len(body) // 20)))
        if "replay" in route and random.random() < 0.6:
            headers += headers_of(random, CONDITIONAL, random.choice((1, 1, 2)))
        headers += other_headers(random)
        return Request(sent, path, tuple(query), tuple(headers), body, chunk)

    def _raw(self, random: Random, request_id: str) -> bytes:
        """Return bytes that are hardly ever a request with the right framing."""
        kind = random.random()
        if kind < 0.08:
            greeting = random.choice(GREETINGS) * random.choice((1, 1, 1, 60))
            return greeting + (hostile(random) if random.random() < 0.3 else b"")
        requests = [self._request(random, f"{request_id}-{index}") for index in range(random.choice((1, 1, 1, 2)))]
        # Without HEAD: it could not be told where the response ends.
        data = b"".join(request.encode() for request in requests if request.method != b"HEAD")
        head, _, body = data.partition(b"\r\n\r\n")
        if kind < 0.3:
            return b"\r\n".join([head, random.choice(LINES), b"", body])
        if kind < 0.45:
            framing = (b"Content-Length", b"Transfer-Encoding")
            lines = [line for line in head.split(b"\r\n") if not line.startswith(framing)]
            more = random.choice(((), (), (b"Content-Length: 5",), (b"Transfer-Encoding: identity",)))
            return b"\r\n".join([*lines, b"Transfer-Encoding: chunked", *more, b"", random.choice(CHUNKS)])
        if kind < 0.6:
            return data[: random.randint(0, len(data))]
        if kind < 0.7:
            newline = random.choice((b"\n", b"\r", b"\r\r\n"))
            return random.choice((data.replace(b"\r\n", newline), data.replace(b" ", b"\t", 2)))
        if kind < 0.75:
            return data.replace(b"HTTP/1.1", random.choice((*VERSIONS, b"HTTP/1.0", b"HTTP/1.0")), 1)
        return bodies.damaged(random, data).replace(b"HEAD", b"GET")


def mounted(random: Random, route: str, parameters: Sequence[dict[str, Any]]) -> bytes:
    """Return a path of a route, in one of the forms that are served or nearly one of them."""
    path = route.encode()
    for parameter in parameters:
        if parameter["in"] == "path":
            name = parameter["name"]
            value = valid(random, name, parameter["schema"])
            if random.random() < 0.35:
                value = hostile_encoded(random)[:6000]
            path = path.replace(f"{{{name}}}".encode(), value)
    if random.random() < 0.4:
        name = path[path.index(b"/", 1) + 1 :]
        path = random.choice(V2_MOUNTS if route.startswith("/v2/") else V1_MOUNTS) + name
    if random.random() < 0.06:
        path += random.choice((*ENDINGS, b"/" + random.choice(ENCODED)))
    if random.random() < 0.02:
        at = random.randrange(len(path))
        path = path[:at] + b"%%%02X" % path[at] + path[at + 1 :]
    return path


def parts_of(random: Random, parameter: dict[str, Any]) -> list[bytes]:
    """Return the parts of a query that set a parameter: none, one or several."""
    schema, name = parameter["schema"], parameter["name"]
    # With most optional parameters at once, nearly every request would be refused.
    often = 0.95 if parameter["required"] else 0.9 if name == "id" else 0.35
    if parameter["in"] != "query" or random.random() > often:
        return []
    is_list = schema.get("type") == "array"
    times = random.choice((1, 2, 3, 3, 51, 101) if is_list else (2, 3)) if is_list or random.random() < 0.08 else 1
    parts = []
    for _ in range(times):
        value = valid(random, name, schema) if random.random() < 0.7 else hostile_encoded(random)
        parts.append(name.encode() + b"=" + (b"" if random.random() < 0.03 else value))
    if random.random() < 0.02:
        parts.append(name.encode() + random.choice(NAME_ENDINGS))
    return parts


def unknown_parameter(random: Random) -> bytes:
    """Return a part of a query that sets a parameter that no operation has."""
    name = hostile_encoded(random)[:3000] if random.random() < 0.5 else random.choice((b"x", b"ID", b"token", b""))
    return name + random.choice((b"=", b"=", b"", b"==")) + hostile_encoded(random)


def other_headers(random: Random) -> list[Header]:
    """Return headers that any request may have."""
    if random.random() < 0.5:
        return []
    headers = headers_of(random, tuple(HEADERS), random.choice((1, 1, 2, 3, 6)))
    # Most requests with a second host are refused for that.
    headers = [header for header in headers if header[0] != b"Host" or random.random() < 0.3]
    if random.random() < 0.03:
        headers += [(name, value) for name, _, value in (line.encode().partition(b": ") for line in WEBSOCKET)]
    if random.random() < 0.03:
        value = b"y" * random.choice((1, 100))
        headers += [(b"X-%d" % number, value) for number in range(random.choice((10, 90, 150, 300)))]
    if random.random() < 0.03:
        headers.append((b"X-Long", b"a" * random.choice((4000, 8000, 8190, 16_000, 60_000))))
    return headers


def headers_of(random: Random, names: Sequence[str], count: int) -> list[Header]:
    """Return `count` of the headers with these names."""
    headers = []
    for name in random.sample(names, count):
        value = random.choice(HEADERS[name]).encode()
        kind = random.random()
        if kind < 0.1:
            value = header_value(hostile(random))
        elif kind < 0.15:
            value = random.choice((b"", b",", b" ")).join([value] * random.choice((2, 50, 900)))[:9000]
        headers.append((name.encode(), value.strip()))
    return headers
