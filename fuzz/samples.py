"""Values that programs fail on: those of samples.toml, and in addition long ones."""

import tomllib
from pathlib import Path
from typing import Any

_SAMPLES: dict[str, Any] = tomllib.loads(Path(__file__).with_name("samples.toml").read_text("utf-8"))


def _bytes(name: str) -> list[bytes]:
    return [text.encode("latin-1") for text in _SAMPLES[name]]


# The limits of integers of all sizes, and what is next to them.
LIMITS = [
    sign * (2**bits + more) for bits in (7, 15, 16, 31, 32, 53, 63, 64) for sign in (1, -1) for more in (-1, 0)
]
NUMBERS: list[str] = [*_SAMPLES["numbers"], *map(str, LIMITS), "9" * 400, "-" + "9" * 5000, "0" * 4400 + "3"]
TEXTS: list[str] = [*_SAMPLES["texts"], "試" * 300, "HD" * 4000]
BYTES = [*_bytes("bytes"), b"\x80" * 300]
ENCODED = _bytes("encoded")

METHODS = _bytes("methods")
PATHS = [path.encode() for path in _SAMPLES["paths"]]
HEADERS: dict[str, list[str]] = _SAMPLES["headers"]
_ADDRESSES, _DATES = HEADERS["X-Forwarded-For"], HEADERS["If-Modified-Since"]
HEADERS |= dict.fromkeys(("X-Real-IP", "X_Forwarded-For", "CF-Connecting-IP"), _ADDRESSES)
HEADERS |= {"If-Unmodified-Since": _DATES, "If-Match": HEADERS["If-None-Match"]}
HEADERS["If-Range"] = [*_DATES, *HEADERS["If-None-Match"]]

GREETINGS, VERSIONS = _bytes("greetings"), _bytes("versions")
LINES = [
    *_bytes("lines"),
    b"a: " + b"b" * 70_000,
    b"\r\n".join(b"a%d: b" % number for number in range(2000)),
    b"a" * 20_000 + b": b",
]
CHUNKS = [
    *_bytes("chunks"),
    b"5;" + b"a" * 20_000 + b"\r\nhello\r\n0\r\n\r\n",
    b"1\r\na\r\n" * 3000 + b"0\r\n\r\n",
    b"0\r\n" + b"a: b\r\n" * 5000,
]

JSON_VALUES: list[str] = [
    *_SAMPLES["json_values"],
    *("1" * 400, "1" * 5000, '{"a":' * 1000 + "1" + "}" * 1000),
    *(f'"{letter * size}"' for letter in "aé試😀" for size in (16, 17, 64, 65, 512, 2048, 2049)),
    f'"{"a" * 70_000}"',
    *("[" * depth + "]" * depth for depth in (500, 1000, 30_000)),
]
DISPOSITIONS, PART_HEADERS = _bytes("dispositions"), _bytes("part_headers")
BOUNDARIES = [*_bytes("boundaries"), b"a" * 300]
