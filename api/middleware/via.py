"""The Via header, in which each proxy on the way of a request adds an entry (RFC 9110 §7.6.3)."""

import re
from typing import NamedTuple

TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
ENTRY = re.compile(rb"(?:" + TOKEN + rb"/)?" + TOKEN + rb"[ \t]+([^\s(),]+)(?:[ \t]+(\(.*\)))?", re.DOTALL)
# An escaped character, a comma, a parenthesis, or any text between these.
PIECE = re.compile(rb"[^\\(),]+|\\?.", re.DOTALL)


class Entry(NamedTuple):
    """A proxy: its host name or pseudonym, and a comment in parentheses, which later proxies may remove."""

    name: bytes
    comment: bytes


def parse_via(value: bytes) -> list[Entry] | None:
    """Return the entries of one Via header, None if it is not valid."""
    texts: list[bytes] = []
    start = depth = 0
    for piece in PIECE.finditer(value):
        depth += (piece[0] == b"(") - (piece[0] == b")")
        if depth < 0:
            return None
        if piece[0] == b"," and not depth:
            texts.append(value[start : piece.start()])
            start = piece.end()
    texts.append(value[start:])
    entries = [ENTRY.fullmatch(text.strip(b" \t")) for text in texts if text.strip(b" \t")]
    if depth or not all(entries):
        return None
    return [Entry(entry[1], entry[2] or b"") for entry in entries if entry]
