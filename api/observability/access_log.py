"""The line of a request: what was asked, without secrets, and what came of it."""

import logging
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote_from_bytes

import msgspec

log = logging.getLogger("apidot.access")

# Of a request line, everything that can do no harm between quotes; the rest is percent-encoded.
HARMLESS = "".join(map(chr, range(0x21, 0x7F))).translate({ord('"'): None, ord("\\"): None})
CUT = "…"
LONGEST_PATH = 256
LONGEST_NAME = 32
LONGEST_VALUE = 128
MOST_PARAMETERS = 16
# Ours, and elsewhere a name for secrets: a client that mistakes one for the other is not given away.
NEVER_SHOWN = frozenset({"key"})


class AccessRecord(msgspec.Struct, omit_defaults=True):
    """One request. `ms` is until the end of the answer, `bytes` what its body holds; 499 is a client that left."""

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
        """name=value."""
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
    """Paths with their queries as the log may show them: values of parameters that a route takes, no others."""

    def __init__(self, shown: Mapping[str, frozenset[str]]) -> None:
        """`shown` are the names of each route's parameters."""
        self._shown = {route: names - NEVER_SHOWN for route, names in shown.items()}
        self._known = lru_cache(2048)(self._read)

    def text(self, route: str, path: bytes, query: bytes) -> str:
        """The raw `path` and `query` of a request that `route` answered."""
        # Who asks at length asks once: kept, such would fill the memory.
        return (self._known if len(path) + len(query) < 200 else self._read)(route, path, query)

    def _read(self, route: str, path: bytes, query: bytes) -> str:
        text = harmless(path, LONGEST_PATH)
        if not query:
            return text
        shown = self._shown.get(route, frozenset())
        parts = query.split(b"&", MOST_PARAMETERS)
        seen = [parameter(part, shown) for part in parts[:MOST_PARAMETERS]]
        return f"{text}?{'&'.join(seen + [CUT] * (len(parts) > MOST_PARAMETERS))}"


def parameter(part: bytes, shown: frozenset[str]) -> str:
    """A parameter of a query; its value when its name is in `shown`."""
    name, equals, value = part.partition(b"=")
    if not equals:
        # Nobody's name: perhaps a token and nothing else.
        return CUT if part else ""
    told = harmless(name, LONGEST_NAME)
    return f"{told}={harmless(value, LONGEST_VALUE)}" if told in shown else f"{told}={CUT if value else ''}"


def harmless(raw: bytes, longest: int) -> str:
    """The text of `raw`, cut at `longest` bytes."""
    return quote_from_bytes(raw[:longest], HARMLESS) + (CUT if len(raw) > longest else "")


def write(line: AccessRecord) -> None:
    """Writes the line. Built by hand, a record costs half."""
    log.handle(logging.LogRecord("apidot.access", logging.INFO, "", 0, line, None, None))
