"""Chooses values of parameters, valid and hostile ones, and encodes them for a URL."""

from random import Random
from typing import Any
from urllib.parse import quote_from_bytes

from fuzz.samples import BYTES, ENCODED, NUMBERS, TEXTS
from tests.support import conformance


def api_keys() -> dict[str, int]:
    """Return the API keys of the recorded world, each with the id of its owner."""
    columns, rows = next((columns, rows) for name, columns, rows in conformance.tables() if name == "users")
    key, owner = columns.index("api_key"), columns.index("id")
    return {row[key]: row[owner] for row in rows if row[key]}


KEYS = api_keys()
# Ids of scores that have a replay.
REPLAYS = " ".join(file.stem for file in sorted((conformance.WORLD / "osr").glob("*.osr"))[:12])
MD5 = "53ddce7b66652d1849af8d9171a00b25"
# Values of the recorded world by the name of the parameter, percent-encoded. Hidden players are among them.
KNOWN = {
    "id": f"3 12 5 22 78 86 192 280 1 2 10 29 16 0 63 {REPLAYS}",
    "player_id": "3 12 5 29 16 57 jaxtal66314 %E3%81%95%E3%81%8F%E3%82%89%208426",
    "map_id": "78 86 192 100",
    "score_id": f"1 10 {REPLAYS}",
    "clan_id": "1 2 6",
    "user_id": "3 12 29",
    "name": "jaxtal66314 bel_ren44453 BanchoBot %E3%81%95%E3%81%8F%E3%82%89%208426 bel+ren44453",
    "md5": f"{MD5} {MD5.upper()} {'0' * 32}",
    "map_md5": f"{MD5} {MD5.upper()}",
    "mods": "72 0 64 576 HDDT ~HDDT vn rx ap NM -1",
    "country": "fr us XX jp",
    "q": "ren a %25 _ %E3%81%95",
    "set_id": "6 19",
    "server": "osu! private",
    "artist": "t%2Bpazolite",
    "acc": "100 99.5 0 1e1",
}


def hostile(random: Random) -> bytes:
    """Return bytes that are not percent-encoded."""
    kind = random.random()
    if kind < 0.35:
        return random.choice(NUMBERS).encode()
    if kind < 0.75:
        return random.choice(TEXTS).encode()
    if kind < 0.82:
        return random.choice(BYTES)
    if kind < 0.88:
        return random.randbytes(random.choice((1, 2, 3, 8, 40)))
    if kind < 0.94:
        return "".join(chr(code_point(random)) for _ in range(random.randint(1, 20))).encode()
    if kind < 0.97:
        return random.choice(TEXTS).encode() + random.choice(NUMBERS).encode()[:20] + random.choice(BYTES)
    return random.choice((b"a", b"9", b"%", "é".encode(), b"\0", b"'")) * random.choice((64, 255, 1000, 8000))


def code_point(random: Random) -> int:
    """Return a code point that UTF-8 can encode; small ones are as likely as all others together."""
    while True:
        code = random.choice((random.randrange(0x80), random.randrange(0x3000), random.randrange(0x110000)))
        if not 0xD800 <= code < 0xE000:
            return code


def encoded(random: Random, raw: bytes) -> bytes:
    """Return `raw` as it may stand in a URL."""
    kind = random.random()
    if kind < 0.7:
        return quote_from_bytes(raw, safe="").encode()
    if kind < 0.8:
        return quote_from_bytes(raw, safe="!$'()*,;:@/?[]~").lower().encode()
    if kind < 0.9:
        return b"".join(b"%%%02x" % byte for byte in raw)
    return quote_from_bytes(raw, safe="").replace("%", "%25").encode()


def hostile_encoded(random: Random) -> bytes:
    """Return a hostile value for a URL."""
    if random.random() < 0.08:
        return random.choice(ENCODED)
    return encoded(random, hostile(random))


def header_value(raw: bytes) -> bytes:
    """Return `raw` without the bytes that would end a header."""
    return bytes(byte for byte in raw if byte >= 0x20 and byte != 0x7F).strip()


def valid(random: Random, name: str, schema: dict[str, Any]) -> bytes:
    """Return a value, percent-encoded, that a parameter with this schema takes, or nearly so."""
    schema = schema.get("items", schema)
    if "enum" in schema:
        values = schema["enum"]
        if schema["type"] == "integer":
            # Values outside the enum too: the service has an error message of its own for unknown modes.
            values = [*values, *values, min(values) - 1, *range(max(values) + 1, max(values) + 5)]
        return str(random.choice(values)).encode()
    if name in KNOWN and random.random() < 0.8:
        return random.choice(KNOWN[name].split()).encode()
    match schema.get("type"):
        case "boolean":
            return random.choice((b"true", b"false", b"1", b"0", b"on", b"N"))
        case "integer":
            low, high = schema.get("minimum", -5), schema.get("maximum", 2**63 - 1)
            near = random.choice((low - 1, low, low + 1, high - 1, high, high + 1, random.randint(low, high)))
            return str(random.choice((near, min(high, low + random.randrange(12))))).encode()
        case "number":
            return random.choice((b"0", b"100", b"99.5", b"100.0001", b"-0.1", b"1e2", b"50"))
    return random.choice((b"a", b"ab", b"abc%20d", b"%25", b"%5Bx%5D", b"a_b"))
