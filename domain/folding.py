"""Texts in the form in which they are searched, in which case, accents and the like do not matter."""

import re
import unicodedata
from functools import lru_cache

# What matches every query, and what matches none.
ANY, NONE = "\x01", "\x02"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BASE_LETTER = re.compile(r"LATIN (?:SMALL|CAPITAL) LETTER (?:DOTLESS )?([A-Z])(?: WITH .*)?")


def folded(text: str) -> str:
    """Return a text without case and accents, with compatible characters as one, and without control characters.

    It is lower case in Unicode's sense (`ß` is `ss`); `É`, `ｅ` and `ⓔ` are `e`; voiced kana are unvoiced ones.
    """
    if text.isascii():
        return _CONTROL.sub(" ", text.lower())
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    return _CONTROL.sub(" ", unicodedata.normalize("NFC", plain.casefold()))


def ascii_folded(name: str) -> str:
    """Return the lower-case ASCII characters that a database may take those of a name for, one for each.

    It is ANY if that is not known of a character. A character that no collation takes for an ASCII one is NONE.
    """
    if name.isascii():
        return ANY if _CONTROL.search(name) else name.lower()
    chars = [_ascii_base(char) for char in name]
    return ANY if ANY in chars else "".join(chars)


@lru_cache(10_000)
def _ascii_base(char: str) -> str:
    if char.isascii():
        return ANY if _CONTROL.match(char) else char.lower()
    if unicodedata.category(char)[0] in "MC":
        # Combining marks, formats and unassigned characters: collations may ignore them.
        return ANY
    if letter := _BASE_LETTER.fullmatch(unicodedata.name(char, "")):
        return letter[1].lower()
    base = [part for part in unicodedata.normalize("NFKD", char) if not unicodedata.combining(part)]
    if len(base) == 1 and base[0].isascii():
        return base[0].lower()
    if any(part.isascii() for part in base) or "LATIN" in unicodedata.name(char, "LATIN"):
        return ANY
    return NONE
