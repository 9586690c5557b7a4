"""Generates the cases of a run: each follows from the seed and its number alone, so that it can be repeated."""

from collections.abc import Mapping
from random import Random
from typing import Any
from urllib.parse import quote

from tests.fuzz import bodies
from tests.fuzz.messages import Case, Header, Request
from tests.fuzz.values import ENCODED, KEYS, hostile, hostile_encoded, valid

# Sent with each case, so that a line of the service's log can be found by it.
REQUEST_ID = "fuzz-{number}-{index}"
V1_MOUNTS = (b"/v1/", b"/", b"/api/", b"/api/v1/")
V2_MOUNTS = (b"/v2/", b"/api/v2/")
# These take a hundred times longer than others.
EXPENSIVE = {"/v1/calculate_pp": 0.1, "/v1/calculate_pp_batch": 0.1, "/v1/set_avatar": 0.15}
OTHER_PATHS = (
    *(
        "/",
        "/docs",
        "/docs/",
        "/openapi.json",
        "/openapi.json/",
        "/health/live",
        "/health/ready",
        "/metrics",
        "/metrics%0a",
        "/favicon.ico",
    ),
    *(
        "/fork/echo",
        "/fork/zipped",
        "/fork/moved",
        "/fork/unchanged",
        "/fork/cors",
        "/fork/early",
        "/fork/stream",
        "/fork/echo/../x",
        "/users/3",
    ),
    *(
        "/v1",
        "/v1/",
        "/v2",
        "/v2/",
        "/api",
        "/api/",
        "/api/v1",
        "/api/v2/",
        "/v3/get_clan",
        "/v1//get_clan",
        "//",
        "///v1/get_clan",
        "/v1/get_clan//",
    ),
    *(
        "/v1/../v1/get_clan",
        "/v1/./get_clan",
        "/v1/get%5fclan",
        "/%76%31/get_clan",
        "/v1%2fget_clan",
        "/v1/get_clan%00",
        "/v1/get_clan;a=1",
        "/V1/get_clan",
    ),
    *(
        "/docs/assets/",
        "/docs/assets/../../main.py",
        "/docs/assets/%2e%2e/%2e%2e/.env",
        "/docs/assets/start.js",
        "/.env",
        "/v2/players/friends",
        "/v2/sessions",
    ),
    *(
        "*",
        "http://api.example.test/v1/get_clan",
        "http://",
        "https://x",
        "x",
        "?",
        "/?",
        "/#a",
        "/v1/get_clan#?id=1",
        "/%",
        "/%00",
        "/%ff",
        "/\u00e9",
    ),
)
METHODS = (
    b"POST",
    b"PUT",
    b"PATCH",
    b"DELETE",
    b"OPTIONS",
    b"TRACE",
    b"HEAD",
    b"GET",
    b"PROPFIND",
    b"CONNECT",
    b"BREW",
    b"get",
    b"M-SEARCH",
)
DATES = (
    *(
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "0",
        "-1",
    ),
    *(
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Mon, 30 Feb 2026 99:99:99 +9999",
        "Sun, 06 Nov 0000 00:00:00 -0000",
        "99999999999999999999",
        "Sun, 06 Nov 1994",
    ),
    *(
        "Sat, 01 Jan 0001 00:00:00 +2359",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "1 1 1",
        "Sun, 06 Nov 99999 08:49:37 GMT",
    ),
)
TAGS = (
    "*",
    '"a"',
    'W/"a"',
    '"a", W/"b", "c"',
    '"',
    "W/",
    ",,,",
    '"\\""',
    "a",
    '"a' * 500,
    ", ".join(['"x"'] * 900),
    'W/"*"',
    "**",
)
RANGES = (
    *(
        "bytes=0-0",
        "bytes=0-",
        "bytes=-1",
        "bytes=-0",
        "bytes=5-2",
        "bytes=0-99999999",
        "bytes=99999999-",
        "bytes=1-3,5-7",
        "bytes=-",
        "bytes=",
        "bytes",
    ),
    *(
        "bytes = 0 - 1",
        "BYTES=0-1",
        "items=0-1",
        "bytes=0-1,",
        "bytes=,0-1",
        "bytes=--1",
        "bytes=+1-2",
        "bytes=0x1-2",
        "bytes=٣-",
        "bytes=1-" + "9" * 5000,
    ),
    *(
        "bytes=" + "9" * 400 + "-",
        "bytes=-" + "9" * 400,
        "bytes=" + "0-0," * 500 + "0-0",
        "bytes=0-0;q=1",
        "bytes=100-200",
        "bytes=-100",
    ),
)
ADDRESSES = (
    "203.0.113.9",
    "::1",
    "127.0.0.1",
    "unknown",
    "_x",
    "203.0.113.9:80",
    "[2001:db8::1]:80",
    "[",
    "]",
    "1.2.3.4%eth0",
    ", ,",
    "a" * 3000,
)
ADDRESSES += (
    "0x7f.1",
    "999.1.1.1",
    "::ffff:1.2.3.4",
    "1.2.3.4, 5.6.7.8",
    ",".join(["1.2.3.4"] * 500),
    "fe80::1%" + "x" * 500,
    "01.02.03.04",
    "::" * 9,
)
NAMED: Mapping[bytes, tuple[str, ...]] = {
    b"If-None-Match": TAGS,
    b"If-Match": TAGS,
    b"If-Modified-Since": DATES,
    b"If-Unmodified-Since": DATES,
    b"If-Range": (*TAGS, *DATES),
    b"Range": RANGES,
    b"Accept": (
        "*/*",
        "text/html",
        "text/html;q=0",
        "text/html;q=x",
        "application/json",
        ";;q=",
        "text/html;q=1e400",
        "text/html;q=nan",
        "," * 400,
        "a/b;" * 300,
    ),
    b"Accept-Encoding": (
        "gzip",
        "zstd",
        "br",
        "gzip, zstd",
        "*",
        "*;q=0",
        "identity;q=0",
        "gzip;q=-1",
        "gzip;q=nan",
        "zstd;q=inf, gzip",
        "GZIP",
        ",,gzip;;q=1;q=0",
        "gzip;q=" + "9" * 400,
    ),
    b"Origin": ("https://example.com", "null", "*", "", "https://a\tb", "file://", "https://" + "a" * 5000),
    b"Access-Control-Request-Method": ("GET", "POST", "x", ""),
    b"Access-Control-Request-Headers": ("x-a, x-b", "*", "", "a\tb", "a" * 4000),
    b"X-Forwarded-For": ADDRESSES,
    b"X-Real-IP": ADDRESSES,
    b"X_Forwarded-For": ADDRESSES,
    b"CF-Connecting-IP": ADDRESSES,
    b"Forwarded": ("for=1.2.3.4", 'for="[::1]:80";by=_x', "for=" + "a" * 999),
    b"X-Forwarded-Proto": ("https", "x" * 999),
    b"X-Forwarded-Host": ("a", "a b"),
    b"X-Request-ID": ("", "a", "a" * 64, "a" * 65, "a b", "a;b", "é", "../x", "0-_", "-" * 64),
    b"Via": (
        "1.1 a",
        "1.1 apidot",
        "1.1 apidot (x)",
        "1.1 a (b (c)), HTTP/2 d",
        "1.1",
        "(((((",
        '1.1 a ("',
        ",,,",
        "1.1 " + "a" * 5000,
        "1.1 a (" + "(" * 3000,
    ),
    b"Connection": (
        "close",
        "keep-alive",
        "close, keep-alive",
        "Upgrade",
        "x-private",
        "content-length",
        "",
        "," * 99,
        "CLOSE",
        "host",
        "transfer-encoding",
    ),
    b"Upgrade": ("websocket", "h2c", "TLS/1.0", "x" * 999),
    b"Sec-WebSocket-Key": ("dGhlIHNhbXBsZSBub25jZQ==", "x"),
    b"Sec-WebSocket-Version": ("13", "x"),
    b"HTTP2-Settings": ("AAMAAABkAAQAAP__", ""),
    b"TE": ("trailers", "chunked", "gzip;q=x"),
    b"Trailer": ("X-A", "Content-Length"),
    b"Expect": ("100-continue", "100-Continue, x", "x", ""),
    b"Cookie": ("a=b", "a", ";;;", "a=" + "b" * 4000, "session=%00"),
    b"Referer": ("/", "x" * 999),
    b"User-Agent": ("", "a", "${jndi:ldap://x}", "a" * 4000),
    b"Content-Type": (
        "application/json",
        "multipart/form-data",
        "a" * 999,
        "application/json; charset=utf-16",
        "",
    ),
    b"Content-Encoding": ("gzip", "identity", "x"),
    b"Cache-Control": ("no-cache", "max-age=" + "9" * 99, "only-if-cached"),
    b"Pragma": ("no-cache",),
    b"Max-Forwards": ("0", "-1", "x"),
    b"X-HTTP-Method-Override": ("DELETE",),
    b"X-Original-URL": ("/metrics",),
    b"X-Accel-Redirect": ("/etc/passwd",),
    b"Proxy": ("http://127.0.0.1:1",),
    b"Proxy-Authorization": ("Basic x",),
    b"Host": ("", "a b", "a:b", "[::1]", "[", "a" * 5000, "api.example.test", "é", "a@b", "a,b", "1.2.3.4:99999"),
    b"Authorization": (
        "",
        "Bearer",
        "Bearer ",
        "Basic Og==",
        "bearer  x",
        "Bearer " + "a" * 5000,
        "Bearer \xe9",
        "Bearer 00000000-0000-4000-8000-00000000000x",
        "Digest x, y=z",
    ),
}
HEADERS = tuple(NAMED)
WEBSOCKET = (
    (b"Connection", b"Upgrade"),
    (b"Upgrade", b"websocket"),
    (b"Sec-WebSocket-Version", b"13"),
    (b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="),
)
# What other protocols and broken clients begin with.
GREETINGS = (
    *(
        b"",
        b"\0",
        b"\r\n" * 500,
        b"\n",
        b"GET /\r\n",
        b"GET / HTTP/0.9\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
    ),
    *(
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + b"\0" * 200,
        b"SSH-2.0-x\r\n",
    ),
    *(
        b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"*1\r\n$4\r\nPING\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ),
    *(
        b"GET  /  HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
        b" GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n",
    ),
)
LINES = (
    *(
        b"Host: a",
        b"Host: b",
        b"Host : a",
        b"Content-Length: 5",
        b"Content-Length: 0",
        b"Content-Length: -1",
        b"Content-Length: +5",
        b"Content-Length: 5, 5",
    ),
    *(
        b"Content-Length: 99999999999999999999",
        b"Content-Length: 0x5",
        b"Content-Length: ",
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Content-Length: \xd9\xa3",
    ),
    *(
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding: chunked, gzip",
        b"Transfer-Encoding: x",
        b"Transfer-Encoding:\x0bchunked",
    ),
    *(
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        b" folded",
        b"\tfolded",
        b"no colon",
        b": no name",
        b"na me: a",
        b"n\0: a",
        b"n: \0",
        b"n\xe9: a",
        b"(n): a",
    ),
    *(
        b"a: " + b"b" * 70_000,
        b"\r\n".join(b"a%d: b" % number for number in range(2000)),
        b"a" * 20_000 + b": b",
        b"a: b\rc: d",
        b"a: b\nc: d",
        b"Expect: 100-continue",
    ),
)
CHUNKS = (
    *(
        b"5\r\nhello\r\n0\r\n\r\n",
        b"5;a=b\r\nhello\r\n0\r\n\r\n",
        b"5;" + b"a" * 20_000 + b"\r\nhello\r\n0\r\n\r\n",
        b"0\r\nAuthorization: x\r\nHost: y\r\n\r\n",
        b"0\r\n",
    ),
    *(
        b"-5\r\nhello\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"5\nhello\n0\n\n",
        b"5\r\nhell\r\n0\r\n\r\n",
        b"5\r\nhelloo\r\n0\r\n\r\n",
        b"ffffffffffffffff\r\na",
        b"fffffffffffffffff\r\na",
    ),
    *(
        b"\r\n",
        b"z\r\n",
        b"5 \r\nhello\r\n0\r\n\r\n",
        b"00000000000000000000005\r\nhello\r\n0\r\n\r\n",
        b"1\r\na\r\n" * 3000 + b"0\r\n\r\n",
        b"0\r\n" + b"a: b\r\n" * 5000 + b"\r\n",
    ),
)


class Generator:
    """Makes the cases of one seed from an OpenAPI document."""

    def __init__(self, seed: int, document: Mapping[str, Any]) -> None:
        self._seed = seed
        self._operations = [
            (method.upper(), path, operation["parameters"])
            for path, item in document["paths"].items()
            for method, operation in item.items()
        ]
        self._weights = [EXPENSIVE.get(path, 1.0) for _, path, _ in self._operations]

    def case(self, number: int) -> Case:
        random = Random(f"{self._seed}/{number}")
        kind = random.random()
        if kind < 0.8:
            return self._cut(random, Case(number, (self._request(random, number, 0),)))
        if kind < 0.86:
            requests = [self._request(random, number, index) for index in range(random.choice((2, 2, 3, 5, 20)))]
            return self._cut(random, Case(number, tuple(requests)))
        return self._cut(random, Case(number, raw=self._raw(random, number)))

    def _cut(self, random: Random, case: Case) -> Case:
        if random.random() < 0.95:
            return case
        size = len(case.encode())
        cuts = sorted(random.randint(0, size) for _ in range(random.choice((1, 2, 5))))
        return Case(case.number, case.requests, case.raw, tuple(cuts))

    def _request(self, random: Random, number: int, index: int) -> Request:
        """Return a request with the right framing."""
        query: list[bytes] = []
        if random.random() < 0.85:
            method, route, parameters = random.choices(self._operations, self._weights)[0]
            path = self._path(random, route, parameters)
            for parameter in parameters:
                if parameter["in"] == "query":
                    query += self._parameter(random, parameter)
        else:
            method, route = "GET", ""
            path = quote(random.choice(OTHER_PATHS), safe="/%?#:*;=").encode()
            if random.random() < 0.3:
                path = b"/fork/" + hostile_encoded(random)[:5000]
        if random.random() < 0.2:
            name = (
                hostile_encoded(random)[:3000]
                if random.random() < 0.5
                else random.choice((b"x", b"id%5B%5D", b"ID", b"token", b""))
            )
            query.append(name + random.choice((b"=", b"=", b"", b"==")) + hostile_encoded(random))
        if random.random() < 0.05:
            random.shuffle(query)
            query = [part for part in query if part] * random.choice((1, 2, 30))
        sent = method.encode()
        if random.random() < 0.12:
            sent = random.choice(METHODS)
        elif sent == b"GET" and random.random() < 0.1:
            sent = b"HEAD"
        headers: list[Header] = [(b"Host", b"api.example.test")]
        if random.random() < 0.9:
            headers.append((b"X-Request-ID", REQUEST_ID.format(number=number, index=index).encode()))
        if route and random.random() < (
            0.9 if "set_" in route or "calculate" in route or "friends" in route else 0.05
        ):
            headers.append(
                (b"Authorization", random.choice((b"Bearer ", b"", b"bearer ")) + random.choice(KEYS).encode())
            )
        body, chunk = None, 0
        if "set_" in route or random.random() < 0.06:
            body, content_type = (bodies.avatar if "avatar" in route else bodies.profile)(random)
            headers.append((b"Content-Type", content_type))
            chunk = random.choice((0, 0, 0, 1 << 16, max(1, len(body) // 20)))
        headers += self._headers(random)
        # A name that would make the framing wrong is in no list.
        return Request(sent, path or b"/", tuple(query), tuple(headers), body, chunk)

    def _path(self, random: Random, route: str, parameters: list[dict[str, Any]]) -> bytes:
        path = route.encode()
        for parameter in parameters:
            if parameter["in"] == "path":
                name = parameter["name"]
                value = valid(random, name, parameter["schema"])
                if random.random() < 0.35:
                    value = hostile_encoded(random)[:6000]
                path = path.replace(b"{%b}" % name.encode(), value)
        mounts = V1_MOUNTS if route.startswith("/v1/") else V2_MOUNTS
        if random.random() < 0.4:
            path = random.choice(mounts) + path[4:]
        if random.random() < 0.06:
            path += random.choice(
                (b"/", b"//", b"%2f", b"/.", b"/..", b"%00", b"%0a", b";", b"/" + random.choice(ENCODED))
            )
        if random.random() < 0.02:
            at = random.randrange(len(path))
            path = path[:at] + b"%%%02X" % path[at] + path[at + 1 :]
        return path

    def _parameter(self, random: Random, parameter: dict[str, Any]) -> list[bytes]:
        """Return the parts of a query that set a parameter; none of them, or several."""
        schema, name = parameter["schema"], parameter["name"]
        # Most combinations of optional parameters are refused in the same way.
        if random.random() > (0.95 if parameter["required"] else 0.9 if name == "id" else 0.35):
            return []
        times = 1
        if random.random() < 0.08 or schema.get("type") == "array":
            times = random.choice((1, 2, 3, 3, 51, 101) if schema.get("type") == "array" else (2, 3))
        parts = []
        for _ in range(times):
            value = valid(random, name, schema) if random.random() < 0.7 else hostile_encoded(random)
            parts.append(name.encode() + b"=" + (b"" if random.random() < 0.03 else value))
        if random.random() < 0.02:
            parts.append(
                name.encode()
                + random.choice(
                    (b"", b"[]=1", b"[0]=1", b"%5B%5D=1", b"%00=1", b"==1", b"%3D1", b".x=1", b"\xc3\xa9=1")
                )
            )
        return parts

    def _headers(self, random: Random) -> list[Header]:
        headers: list[Header] = []
        if random.random() < 0.5:
            return headers
        for name in random.sample(HEADERS, random.choice((1, 1, 2, 3, 6))):
            value = random.choice(NAMED[name]).encode()
            if random.random() < 0.1:
                value = bodies.hostile_type(random)
            if name != b"Host" or random.random() < 0.3:
                headers.append((name, value.strip()))
        if random.random() < 0.03:
            headers += WEBSOCKET
        if random.random() < 0.03:
            headers += [
                (b"X-%d" % number, b"y" * random.choice((1, 100)))
                for number in range(random.choice((10, 90, 300)))
            ]
        if random.random() < 0.03:
            headers.append((b"X-Long", b"a" * random.choice((4000, 8000, 8190, 16_000, 60_000))))
        return headers

    def _raw(self, random: Random, number: int) -> bytes:
        """Return bytes that are hardly ever a request with the right framing."""
        kind = random.random()
        if kind < 0.08:
            return random.choice(GREETINGS) + (hostile(random) if random.random() < 0.3 else b"")
        # HEAD is left out, because its response cannot be read without knowing that it is one.
        requests = [self._request(random, number, index) for index in range(random.choice((1, 1, 1, 2)))]
        data = b"".join(request.encode() for request in requests if b"HEAD" not in request.method)
        head, _, body = data.partition(b"\r\n\r\n")
        if kind < 0.3:
            return head + b"\r\n" + random.choice(LINES) + b"\r\n\r\n" + body
        if kind < 0.45:
            lines = [
                line
                for line in head.split(b"\r\n")
                if not line.startswith((b"Content-Length", b"Transfer-Encoding"))
            ]
            length = random.choice(((), (), (b"Content-Length: 5",), (b"Transfer-Encoding: identity",)))
            return b"\r\n".join([*lines, b"Transfer-Encoding: chunked", *length, b"", random.choice(CHUNKS)])
        if kind < 0.6:
            return data[: random.randint(0, len(data))]
        if kind < 0.7:
            return random.choice(
                (
                    data.replace(b"\r\n", b"\n"),
                    data.replace(b"\r\n", b"\r"),
                    data.replace(b" ", b"\t", 2),
                    data.replace(b"HTTP/1.1", b"HTTP/1.0"),
                )
            )
        if kind < 0.75:
            version = random.choice(
                (b"HTTP/1.1000", b"HTTP/9.9", b"HTTP/", b"http/1.1", b"HTTP/1.1 x", b"ICE/1.0", b"RTSP/1.0", b"")
            )
            return data.replace(b"HTTP/1.1", version, 1)
        return bodies.damaged(random, data).replace(b"HEAD", b"GET")
