"""Conditional requests, range requests, and cutting a body."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from replays.body import ByteLayout
from replays.conditional import Unsatisfiable, precondition_status, requested_range

ETAG = '"e"'
MODIFIED = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SIZE = 1000
SAME, BEFORE, AFTER = (
    format_datetime(MODIFIED + timedelta(seconds=seconds), usegmt=True) for seconds in (0, -1, 1)
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=0-499", (0, 500)),
        ("bytes=500-", (500, 1000)),
        ("bytes=999-999", (999, 1000)),
        ("bytes=999-5000", (999, 1000)),
        ("bytes=0-" + "9" * 5000, (0, 1000)),
        ("bytes=" + "0" * 5000 + "7-8", (7, 9)),
        ("bytes=-1", (999, 1000)),
        ("bytes=-5000", (0, 1000)),
        ("bytes=-" + "9" * 5000, (0, 1000)),
        ("Bytes= 1-2 ,", (1, 3)),
        ("bytes=1000-", Unsatisfiable),
        ("bytes=1000-1001", Unsatisfiable),
        ("bytes=" + "9" * 5000 + "-", Unsatisfiable),
        ("bytes=-0", Unsatisfiable),
        ("bytes=0-1,5-6", None),
        ("bytes=5-4", None),
        ("bytes=-", None),
        ("bytes=", None),
        ("bytes=a-b", None),
        ("bytes=1", None),
        ("bytes=--1", None),
        ("bytes=+1-2", None),
        ("bytes=\xb2-\xb3", None),
        ("items=0-1", None),
        ("0-1", None),
        ("", None),
    ],
)
def test_range(text: str, expected: tuple[int, int] | type[Exception] | None) -> None:
    headers = Headers({"range": text})
    if expected is Unsatisfiable:
        with pytest.raises(Unsatisfiable):
            requested_range(headers, SIZE, ETAG, MODIFIED, NOW)
    else:
        assert requested_range(headers, SIZE, ETAG, MODIFIED, NOW) == expected


def test_two_range_headers_are_several_ranges() -> None:
    headers = Headers(raw=[(b"range", b"bytes=0-1"), (b"range", b"bytes=2-3")])
    assert requested_range(headers, SIZE, ETAG, MODIFIED, NOW) is None


@pytest.mark.parametrize(
    ("if_range", "applies"),
    [
        (ETAG, True),
        (f"W/{ETAG}", False),
        ('"another"', False),
        ("e", False),
        (SAME, True),
        (BEFORE, False),
        (AFTER, False),
        ("yesterday", False),
        ("", False),
    ],
)
def test_if_range(if_range: str, applies: bool) -> None:
    headers = Headers({"range": "bytes=0-1", "if-range": if_range})
    assert requested_range(headers, SIZE, ETAG, MODIFIED, NOW) == ((0, 2) if applies else None)


def test_a_date_of_this_second_is_not_a_strong_validator() -> None:
    headers = Headers({"range": "bytes=0-1", "if-range": SAME})
    assert requested_range(headers, SIZE, ETAG, MODIFIED, MODIFIED + timedelta(milliseconds=900)) is None


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, None),
        ({"if-none-match": ETAG}, 304),
        ({"if-none-match": f"W/{ETAG}"}, 304),
        ({"if-none-match": f'"x, y", W/"z",{ETAG}'}, 304),
        ({"if-none-match": "*"}, 304),
        ({"if-none-match": '"x"'}, None),
        ({"if-none-match": "e"}, None),
        ({"if-none-match": ""}, None),
        ({"if-modified-since": SAME}, 304),
        ({"if-modified-since": AFTER}, 304),
        ({"if-modified-since": BEFORE}, None),
        ({"if-modified-since": "Monday, 06-May-24 07:08:09 GMT"}, 304),
        ({"if-modified-since": "Mon May  6 07:08:09 2024"}, 304),
        ({"if-modified-since": "soon"}, None),
        ({"if-modified-since": "Mon, 06 May 99999 07:08:09 GMT"}, None),
        ({"if-none-match": '"x"', "if-modified-since": SAME}, None),
        ({"if-none-match": ETAG, "if-modified-since": BEFORE}, 304),
        ({"if-match": ETAG}, None),
        ({"if-match": f'"x", {ETAG}'}, None),
        ({"if-match": "*"}, None),
        ({"if-match": f"W/{ETAG}"}, 412),
        ({"if-match": '"x"'}, 412),
        ({"if-match": ETAG, "if-none-match": ETAG}, 304),
        ({"if-match": '"x"', "if-none-match": ETAG}, 412),
        ({"if-unmodified-since": SAME}, None),
        ({"if-unmodified-since": BEFORE}, 412),
        ({"if-match": ETAG, "if-unmodified-since": BEFORE}, None),
    ],
)
def test_condition(headers: dict[str, str], status: int | None) -> None:
    assert precondition_status(Headers(headers), ETAG, MODIFIED) == status


def test_two_if_none_match_headers_are_one_list() -> None:
    headers = Headers(raw=[(b"if-none-match", b'"x"'), (b"if-none-match", b'"e"')])
    assert precondition_status(headers, ETAG, MODIFIED) == 304


latin = st.text(st.characters(max_codepoint=255), max_size=60)
texts = st.one_of(
    latin, latin.map("bytes={}".format), st.from_regex(r"bytes=[0-9]{0,30}-[0-9]{0,30}", fullmatch=True)
)


@given(text=texts, size=st.integers(1, 10_000))
def test_any_range_is_within_the_body(text: str, size: int) -> None:
    try:
        part = requested_range(Headers({"range": text}), size, ETAG, MODIFIED, NOW)
    except Unsatisfiable:
        return
    assert part is None or 0 <= part[0] < part[1] <= size


@given(name=st.sampled_from(["if-match", "if-none-match", "if-modified-since", "if-unmodified-since"]), text=latin)
def test_any_precondition(name: str, text: str) -> None:
    assert precondition_status(Headers({name: text}), ETAG, MODIFIED) in (None, 304, 412)


@given(text=latin)
def test_any_if_range(text: str) -> None:
    headers = Headers({"range": "bytes=0-1", "if-range": text})
    assert requested_range(headers, SIZE, ETAG, MODIFIED, NOW) in (None, (0, 2))


@given(
    data=st.data(), head=st.binary(max_size=9), file=st.binary(min_size=1, max_size=40), tail=st.binary(max_size=9)
)
def test_a_cut_body_has_the_bytes_of_the_cut(data: st.DataObject, head: bytes, file: bytes, tail: bytes) -> None:
    offset = data.draw(st.integers(0, len(file)))
    end = data.draw(st.integers(offset, len(file)))
    body = ByteLayout(head=head, start=offset, stop=end, tail=tail)
    whole = head + file[offset:end] + tail
    assert body.size == len(whole)
    start = data.draw(st.integers(0, len(whole)))
    stop = data.draw(st.integers(start, len(whole)))
    part = body.cut(start, stop)
    assert part.head + file[part.start : part.stop] + part.tail == whole[start:stop]
    assert part.size == stop - start


def test_different_bodies_have_different_etags() -> None:
    bodies = [
        ByteLayout(start=0, stop=10),
        ByteLayout(start=0, stop=11),
        ByteLayout(start=1, stop=10),
        ByteLayout(head=b"a", start=0, stop=10),
        ByteLayout(head=b"b", start=0, stop=10),
        ByteLayout(start=0, stop=10, tail=b"a"),
        ByteLayout(head=b"a", start=0, stop=10, tail=b"b"),
        ByteLayout(head=b"ab", start=0, stop=10),
    ]
    assert len({body.etag(version) for body in bodies for version in ("1", "2")}) == 2 * len(bodies)
    assert bodies[0].etag("1") == ByteLayout(start=0, stop=10).etag("1")
