"""Conditional requests and range requests: RFC 9110, sections 13 and 14."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from starlette.datastructures import Headers

_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_BYTES = re.compile(r"bytes\s*=(.*)", re.IGNORECASE)
_RANGE = re.compile(r"([0-9]*)-([0-9]*)", re.ASCII)
_DIGITS = 18  # of a position; no replay is that long


class Unsatisfiable(Exception):
    """The requested range is behind the end."""


def names_etag(if_none_match: str, etag: str) -> bool:
    """Return whether an If-None-Match header names `etag`, by weak comparison (RFC 9110, 13.1.2)."""
    if if_none_match.strip() == "*":
        return True
    return any(tag == etag.removeprefix("W/") for _, tag in _TAG.findall(if_none_match))


def precondition_status(headers: Headers, etag: str, modified: datetime) -> int | None:
    """Return 412 or 304 if the preconditions of the request ask for it, in the order of 13.2.2, else None.

    `etag` is a strong one, `modified` is in whole seconds.
    """
    if "if-match" in headers:
        if not _matches_strongly(", ".join(headers.getlist("if-match")), etag):
            return 412
    elif (since := _date(headers.get("if-unmodified-since"))) and modified > since:
        return 412
    if "if-none-match" in headers:
        if names_etag(", ".join(headers.getlist("if-none-match")), etag):
            return 304
    elif (since := _date(headers.get("if-modified-since"))) and modified <= since:
        return 304
    return None


def requested_range(
    headers: Headers, size: int, etag: str, modified: datetime, now: datetime
) -> tuple[int, int] | None:
    """Return the range of a GET request as the position of its start and of the byte after its end.

    None stands for the whole representation: without a range, and for a range that cannot be parsed or several
    ranges, which 14.2 allows to ignore. `now` is the time of the response. Raise Unsatisfiable.
    """
    ranges = _BYTES.fullmatch(", ".join(headers.getlist("range")))
    if ranges is None or not _range_applies(headers.get("if-range"), etag, modified, now):
        return None
    specs = [stripped for spec in ranges[1].split(",") if (stripped := spec.strip(" \t"))]
    match = _RANGE.fullmatch(specs[0]) if len(specs) == 1 else None
    if match is None or match[0] == "-":
        return None
    if not match[1]:
        start, stop = max(size - _position(match[2]), 0), size
    else:
        start, stop = _position(match[1]), size
        if match[2]:
            last = _position(match[2])
            if last < start:
                return None
            stop = min(last + 1, size)
    if start >= size:
        raise Unsatisfiable
    return start, stop


def _range_applies(if_range: str | None, etag: str, modified: datetime, now: datetime) -> bool:
    """Return whether the client has a part of this representation (If-Range, 13.1.5)."""
    if if_range is None:
        return True
    if if_range.endswith('"'):
        return if_range == etag
    # A date is a strong validator only if there was no time for another change in the same second (8.8.2.2).
    return _date(if_range) == modified <= now - timedelta(seconds=1)


def _matches_strongly(if_match: str, etag: str) -> bool:
    return if_match.strip() == "*" or any(tag == etag and not weak for weak, tag in _TAG.findall(if_match))


def _date(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        date = parsedate_to_datetime(text)
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _position(digits: str) -> int:
    # int() raises for a number of more than 4300 digits.
    return int(digits.lstrip("0")[: _DIGITS + 1] or "0")
