"""Values of parameters and headers: valid ones, and every kind that programs fail on."""

from random import Random
from typing import Any
from urllib.parse import quote_from_bytes

from tests.conftest import ADMIN, PLAYER, RESTRICTED, UNVERIFIED

KEYS = (ADMIN, PLAYER, UNVERIFIED, RESTRICTED)

# Values of the recorded world by the name of the parameter.
MD5 = "53ddce7b66652d1849af8d9171a00b25"
KNOWN: dict[str, tuple[str, ...]] = {
    "id": ("3", "12", "5", "22", "78", "1", "2", "10", "483", "29", "16", "0", "63"),
    "player_id": ("3", "12", "5", "29", "16", "57", "jaxtal66314", "%E3%81%95%E3%81%8F%E3%82%89%208426"),
    "map_id": ("78", "79", "100"),
    "score_id": ("1", "10", "483", "119", "1078"),
    "clan_id": ("1", "2", "6"),
    "user_id": ("3", "12", "29"),
    "name": ("jaxtal66314", "bel_ren44453", "BanchoBot", "%E3%81%95%E3%81%8F%E3%82%89%208426", "bel+ren44453"),
    "md5": (MD5, MD5.upper(), "0" * 32),
    "map_md5": (MD5, MD5.upper()),
    "mods": ("72", "0", "64", "576", "HDDT", "~HDDT", "vn", "rx", "ap", "NM", "-1"),
    "country": ("fr", "us", "XX", "jp"),
    "q": ("ren", "a", "%25", "_", "%E3%81%95"),
    "set_id": ("6", "19"),
    "server": ("osu!", "private"),
    "artist": ("t%2Bpazolite",),
    "creator": ("Sotarks",),
    "acc": ("100", "99.5", "0", "1e1"),
}

NUMBERS = (
    *(
        str(sign * (2**bits + delta))
        for bits in (0, 7, 8, 15, 16, 31, 32, 53, 63, 64)
        for sign in (1, -1)
        for delta in (-1, 0, 1)
    ),
    *(
        "00",
        "-0",
        "+3",
        "3.0",
        "3.5",
        "1e3",
        "1e400",
        "-1e-400",
        "0x10",
        "0b1",
        "1_0",
        "_1",
        "1L",
        "NaN",
        "-inf",
        "Infinity",
    ),
    *(
        "٣",
        "３",
        "²",
        "Ⅷ",
        "1٣",
        " 3",
        "3\n",
        "\u200b3",
        "\u00a03",
        "3\0",
        "1,2",
        "3;4",
        "9" * 400,
        "-" + "9" * 5000,
        "0" * 4400 + "3",
    ),
)
TEXTS = (
    *(
        "",
        " ",
        "\0",
        "a\0b",
        "\n",
        "\r\nX-Injected: 1",
        "a\r\n\r\nHTTP/1.1 200 OK",
        "\t",
        "\x7f",
        "\x1b[2J",
        "\u2028",
        "\ufeff3",
    ),
    *(
        "\u202eabc",
        "\ufffe",
        "\uffff",
        "\U0010ffff",
        "😀",
        "a😀",
        "é" * 15,
        "e\u0301" * 8,
        "ﬁ",
        "ß" * 32,
        "İ",
        "ı",
        "Ǆ",
        "試" * 300,
    ),
    *(
        "%",
        "_",
        "%_%",
        "\\",
        "\\\\",
        "\\'",
        "'",
        '"',
        "`",
        "!",
        "!!%",
        "' OR 1=1-- ",
        "1');DROP TABLE users;--",
        "/*!50000 1*/",
        ";",
        "--",
    ),
    *(
        "{}",
        "{0}",
        "{limit}",
        "%s",
        "%(id)s",
        "%n",
        ":id",
        "?",
        "$1",
        "${7*7}",
        "{{7*7}}",
        "${jndi:ldap://127.0.0.1/a}",
        "<script>",
        "&#0;",
    ),
    *(
        "../../etc/passwd",
        "..\\..\\",
        "/etc/passwd",
        "file:///",
        "http://127.0.0.1:1/",
        "//",
        ".",
        "..",
        "~",
        "~~",
        "=",
        "~=",
        "*",
        "**",
        "|",
    ),
    *(
        "null",
        "None",
        "undefined",
        "true",
        "TRUE",
        "yes",
        "off",
        "[]",
        "[3]",
        '{"a":1}',
        "best",
        "recent",
        "all",
        "stats",
        "pp",
        "id",
        "username",
    ),
    *(
        "xx",
        "HD",
        "HDX",
        "HDHD",
        "hd",
        "~HR",
        "~",
        "~~HR",
        "rxap",
        "vn" * 9,
        "f" * 32,
        "F" * 31 + "g",
        "a" * 33,
        "A" * 300,
        "HD" * 4000,
    ),
    *(
        ".*",
        "(a+)+$",
        "a" * 50 + "!",
        "[[:<:]]",
        "\\d{99999}",
        "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    ),
)
# Bytes that are no UTF-8.
BYTES = (
    b"\xff",
    b"\xc3\x28",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xf0\x9f\x98",
    b"\x80" * 300,
    b"\xfe\xff\x00a",
)
# What is no percent-encoding, and what is encoded twice.
ENCODED = (
    b"%",
    b"%%",
    b"%z",
    b"%zz",
    b"%4",
    b"%u0041",
    b"%2500",
    b"%252e%252e",
    b"%25%32%35",
    b"+",
    b"+%2B+",
    b"%00%",
    b"%e3%81",
    b"%C3%A9",
    b"a%",
)


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


def valid(random: Random, name: str, schema: dict[str, Any]) -> bytes:
    """Return a value, percent-encoded, that a parameter with this schema takes, or nearly so."""
    schema = schema.get("items", schema)
    known = KNOWN.get(name)
    if "enum" in schema:
        return str(random.choice(schema["enum"])).encode()
    if known and random.random() < 0.8:
        return random.choice(known).encode()
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
