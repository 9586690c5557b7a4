"""Names of downloads, their header, and names of stored files. Any text gives a name that file systems accept."""

import re
import unicodedata
from datetime import date, datetime
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from replays.filename import content_disposition, file_name, score_id, stored_name

DAY = date(2021, 12, 31)
ATTR_CHAR = r"(?:[A-Za-z0-9!#$&+.^_`|~-]|%[0-9A-F]{2})"  # RFC 8187, section 3.2.1
HEADER = re.compile(rf"""attachment; filename="([ !#-\[\]-~]*)"; filename\*=UTF-8''({ATTR_CHAR}*)""")

# Hypothesis alone seldom thinks of the characters that matter here.
TEXT = st.text() | st.text('ab \\/:*?"<>|.%41;\r\n\t\x00\x7f\x85\u2028\u202e\u2066\ud800é之試ガ👩‍👩', max_size=300)


def name(player: str = "User One", artist: str = "A", title: str = "T", version: str = "V") -> str:
    return file_name(player=player, artist=artist, title=title, version=version, day=DAY)


def read(value: str) -> tuple[str, str]:
    """Return the fallback and the name, read as RFC 6266 and RFC 8187 say."""
    match = HEADER.fullmatch(value)
    assert match, value
    return match[1], unquote(match[2], errors="strict")


def test_a_name() -> None:
    plain = name("User One", "Camellia", "Ghoul", "Another")
    assert plain == "User One - Camellia - Ghoul [Another] (2021-12-31).osr"
    assert content_disposition(plain) == (
        'attachment; filename="User One - Camellia - Ghoul [Another] (2021-12-31).osr"; '
        "filename*=UTF-8''User%20One%20-%20Camellia%20-%20Ghoul%20%5BAnother%5D%20%282021-12-31%29.osr"
    )


@pytest.mark.parametrize("day", [date(987, 6, 5), datetime(987, 6, 5, 4, 3, 2)])
def test_the_day(day: date) -> None:
    assert file_name(player="p", artist="a", title="t", version="v", day=day).endswith("(0987-06-05).osr")


@pytest.mark.parametrize(
    ("title", "kept"),
    [
        ('a\\b/c:d*e?f"g<h>i|j', "abcdefghij"),
        ("a\r\nSet-Cookie: b", "aSet-Cookie b"),
        ("\x00\x1f\x7f\x80\x85\x9f\u2028\u2029", ""),
        ("\u202egnp.exe\u2066\u200f\u061c", "gnp.exe"),
        ("\ud83d", ""),
        ("Endless 之歌 é 👩‍👩‍👧", "Endless 之歌 é 👩‍👩‍👧"),
    ],
)
def test_refused_characters(title: str, kept: str) -> None:
    assert name(title=title) == f"User One - A - {kept} [V] (2021-12-31).osr"


@pytest.mark.parametrize(
    ("title", "fallback"),
    [
        ("Café ガ", "Cafe _"),
        ("之歌", "__"),
        ("＂／％４１", "_41"),
        ("100% %41", "100% _41"),
        ("👩‍👩", "___"),
    ],
)
def test_the_fallback(title: str, fallback: str) -> None:
    ascii_name, full = read(content_disposition(name(title=title)))
    assert ascii_name == f"User One - A - {fallback} [V] (2021-12-31).osr"
    assert full == f"User One - A - {title} [V] (2021-12-31).osr"


def test_names_begin_with_neither_dot_nor_space() -> None:
    assert name(" . .x") == "x - A - T [V] (2021-12-31).osr"


def test_the_longest_texts_are_cut() -> None:
    long = name("User One", "之" * 128, "歌" * 128, "Insane")
    assert len(long.encode()) in range(250, 256)
    assert re.fullmatch(r"User One - 之{35} - 歌{35} \[Insane\] \(2021-12-31\)\.osr", long)


@given(TEXT, TEXT, TEXT, TEXT)
@example("", "", "", "")
@example("p" * 500, "a" * 500, "t" * 500, "v" * 500)
@example("👩" * 64, "👩" * 64, "👩" * 64, "👩" * 64)
def test_any_text_has_a_name_and_a_header(player: str, artist: str, title: str, version: str) -> None:
    whole = name(player, artist, title, version)
    assert len(whole.encode()) <= 255
    assert whole.endswith("] (2021-12-31).osr")
    assert not re.search(r'[\\/:*?"<>|]|^[. ]', whole)
    assert not {unicodedata.category(c) for c in whole} & {"Cc", "Cs", "Zl", "Zp"}
    fallback, full = read(content_disposition(whole))
    assert full == whole
    assert fallback.endswith("] (2021-12-31).osr")


@given(TEXT)
def test_any_name_has_a_header(text: str) -> None:
    fallback, full = read(content_disposition(text))
    assert not re.search(r"%[0-9A-Fa-f]{2}", fallback)
    if text.isascii() and "%" not in text:
        assert fallback == full


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("1.osr", 1),
        ("0.osr", 0),
        (f"{2**63 - 1}.osr", 2**63 - 1),
        (f"{2**63}.osr", None),
        ("01.osr", None),
        ("-1.osr", None),
        ("1.osr.tmp", None),
        (".1.osr", None),
        ("a/1.osr", None),
        ("1.OSR", None),
        ("١.osr", None),
        ("1.osr\n", None),
    ],
)
def test_the_score_of_a_stored_file(name: str, expected: int | None) -> None:
    assert score_id(name) == expected
    assert expected is None or stored_name(expected) == name
