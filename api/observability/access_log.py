"""The access log: one line for each request, without secrets."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from urllib.parse import quote_from_bytes

import msgspec

# Printable ASCII except quotes and backslashes; every other byte of a request target is percent-encoded.
UNESCAPED = "".join(map(chr, range(0x21, 0x7F))).translate({ord('"'): None, ord("\\"): None})
ELLIPSIS = "…"
MAX_PATH = 256  # bytes
MAX_NAME = 32  # bytes
MAX_VALUE = 128  # bytes
MAX_PARAMETERS = 16
# A parameter of ours that is a secret elsewhere: a client that sends its API key to the wrong API is not exposed.
MASKED = frozenset({"key"})


class AccessRecord(msgspec.Struct, omit_defaults=True):
    """A request. `ms` is the time until the end of the response, `bytes` the size of its body."""

    method: str
    path: str
    status: int
    ms: float
    bytes: int
    client: str
    id: str
    route: str = ""
    cache: str = ""

    def __str__(self) -> str:
        text = (
            f'method={self.method} path="{self.path}" status={self.status} ms={self.ms:.2f} bytes={self.bytes}'
            f" client={self.client} id={self.id}"
        )
        if self.route:
            text += f" route={self.route}"
        if self.cache:
            text += f" cache={self.cache}"
        return text


class LoggedTarget:
    """Formats request targets for the log. Values of parameters that the route has are shown, others masked."""

    def __init__(self, parameters: Mapping[str, Iterable[str]]) -> None:
        """`parameters` are the names of each route's parameters."""
        self._shown = {route: frozenset(names) - MASKED for route, names in parameters.items()}
        self._format_cached = lru_cache(2048)(self._format)

    def format(self, route: str, path: bytes, query: bytes) -> str:
        """Format the raw `path` and `query` of a request to `route`."""
        # Long targets are seldom repeated, and would fill the memory.
        return (self._format_cached if len(path) + len(query) < 200 else self._format)(route, path, query)

    def _format(self, route: str, path: bytes, query: bytes) -> str:
        text = escaped(path, MAX_PATH)
        if not query:
            return text
        shown = self._shown.get(route, frozenset())
        parts = query.split(b"&", MAX_PARAMETERS)
        parameters = [_parameter(part, shown) for part in parts[:MAX_PARAMETERS]]
        return f"{text}?{'&'.join(parameters + [ELLIPSIS] * (len(parts) > MAX_PARAMETERS))}"


def _parameter(part: bytes, shown: frozenset[str]) -> str:
    name, equals, value = part.partition(b"=")
    if not equals:
        # Not a parameter; it may be a token.
        return ELLIPSIS if part else ""
    text = escaped(name, MAX_NAME)
    return f"{text}={escaped(value, MAX_VALUE)}" if text in shown else f"{text}={ELLIPSIS if value else ''}"


def escaped(raw: bytes, limit: int) -> str:
    """Return `raw` as text that is safe between quotes, cut after `limit` bytes."""
    return quote_from_bytes(raw[:limit], UNESCAPED) + (ELLIPSIS if len(raw) > limit else "")
