"""The names of replays: of the stored files, and of downloads with the header that carries the name.

The header is RFC 6266's Content-Disposition with the extended value of RFC 8187 (once RFC 5987).
"""

import re
import unicodedata
from datetime import date
from urllib.parse import quote

MAX_SCORE_ID = 2**63 - 1
NAME_LIMIT = 255  # bytes of UTF-8, the limit of the usual file systems

_STORED = re.compile(r"(0|[1-9][0-9]{0,18})\.osr", re.ASCII)
# What Windows refuses, control characters of both sets, line and paragraph separators, marks that turn the
# direction of writing (they can make a name look like another one) and lone surrogates, which have no UTF-8.
_REFUSED = re.compile(
    r'[\\/:*?"<>|\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]'
)
_NOT_ASCII = re.compile(r"[^\x20-\x7e]")
_LIKE_AN_ESCAPE = re.compile(r"%(?=[0-9A-Fa-f]{2})")


def stored_name(score_id: int) -> str:
    """Return the name under which the replay of a score is stored."""
    return f"{score_id}.osr"


def score_id(name: str) -> int | None:
    """Return the id of the score whose replay is stored as `name`, None if no replay has such a name."""
    match = _STORED.fullmatch(name)
    number = int(match[1]) if match else -1
    return number if 0 <= number <= MAX_SCORE_ID else None


def file_name(*, player: str, artist: str, title: str, version: str, day: date) -> str:
    """Return `<player> - <artist> - <title> [<version>] (<YYYY-MM-DD>).osr`, at most NAME_LIMIT bytes of UTF-8.

    Characters that file systems refuse are left out, and so are dots and spaces at the front. If the name would be
    too long, the longest of the four texts are cut.
    """
    ending = f"] ({day.isoformat()[:10]}).osr"
    texts = [_REFUSED.sub("", text).encode() for text in (player, artist, title, version)]
    player, artist, title, version = _fit(texts, NAME_LIMIT - len(f" -  -  [{ending}"))
    return f"{player} - {artist} - {title} [{version}{ending}".lstrip(" .")


def content_disposition(name: str) -> str:
    """Return the value of the Content-Disposition header: ASCII without control characters, whatever the name.

    `filename*` is the name, `filename` the nearest ASCII to it, for old clients.
    """
    clean = ascii = _REFUSED.sub("", name)
    if not clean.isascii():
        letters = "".join(c for c in unicodedata.normalize("NFKD", clean) if not unicodedata.combining(c))
        # Normalized, compatibility forms such as the full-width quote become characters that are refused.
        ascii = _NOT_ASCII.sub("_", _REFUSED.sub("", letters))
    fallback = _LIKE_AN_ESCAPE.sub("_", ascii)
    return f"attachment; filename=\"{fallback}\"; filename*=UTF-8''{quote(clean, safe='')}"


def _fit(texts: list[bytes], room: int) -> list[str]:
    if sum(map(len, texts)) <= room:
        return [text.decode() for text in texts]
    limit = next(n for n in range(room, 0, -1) if sum(min(len(text), n) for text in texts) <= room)
    return [text[:limit].decode(errors="ignore") for text in texts]
