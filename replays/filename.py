"""What a downloaded replay is called, and the header that says so.

The header is RFC 6266's Content-Disposition with the extended value of RFC 8187 (once RFC 5987).
"""

import re
import unicodedata
from datetime import date
from urllib.parse import quote

NAME_LIMIT = 255  # bytes of UTF-8, the limit of the usual file systems

# What Windows refuses, controls of both sets, line and paragraph separators, marks that turn the direction of
# writing (they can make a name read as another one) and lone surrogates, which have no UTF-8.
_REFUSED = re.compile(
    r'[\\/:*?"<>|\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]'
)
_NOT_ASCII = re.compile(r"[^\x20-\x7e]")
_LIKE_AN_ESCAPE = re.compile(r"%(?=[0-9A-Fa-f]{2})")


def file_name(*, player: str, artist: str, title: str, version: str, day: date) -> str:
    """`<player> - <artist> - <title> [<version>] (<YYYY-MM-DD>).osr`, at most NAME_LIMIT bytes of UTF-8.

    Characters that file systems refuse are left out, and dots and spaces at the front; at the end there are
    none. Where the name would be too long, the longest of the four texts are cut.
    """
    ending = f"] ({day.isoformat()[:10]}).osr"
    texts = [_REFUSED.sub("", text).encode() for text in (player, artist, title, version)]
    player, artist, title, version = _fit(texts, NAME_LIMIT - len(f" -  -  [{ending}"))
    return f"{player} - {artist} - {title} [{version}{ending}".lstrip(" .")


def content_disposition(name: str) -> str:
    """The value of the header Content-Disposition: ASCII without controls, whatever the name.

    `filename*` is the name itself, `filename` what can be said of it in ASCII, for old clients.
    """
    clean = _REFUSED.sub("", name)
    letters = "".join(c for c in unicodedata.normalize("NFKD", clean) if not unicodedata.combining(c))
    # Compatibility forms such as the full-width quote become what has been refused above.
    fallback = _LIKE_AN_ESCAPE.sub("_", _NOT_ASCII.sub("_", _REFUSED.sub("", letters)))
    return f"attachment; filename=\"{fallback}\"; filename*=UTF-8''{quote(clean, safe='')}"


def _fit(texts: list[bytes], room: int) -> list[str]:
    limit = next(n for n in range(room, 0, -1) if sum(min(len(text), n) for text in texts) <= room)
    return [text[:limit].decode(errors="ignore") for text in texts]
