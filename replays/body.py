"""The body of a response: which bytes of the stored file are sent, and what is sent before and after them."""

import hashlib

import msgspec

from replays.frames import Stored
from replays.osr import frames_length


class OsrEnvelope(msgspec.Struct, frozen=True, kw_only=True):
    """What an .osr file has around its frames, without their length, and the name for the download."""

    header: bytes
    trailer: bytes
    name: str


class ByteLayout(msgspec.Struct, frozen=True, kw_only=True):
    """A body: `head`, then the bytes of the file from `start` to before `stop`, then `tail`."""

    head: bytes = b""
    start: int
    stop: int
    tail: bytes = b""

    @property
    def size(self) -> int:
        return len(self.head) + self.stop - self.start + len(self.tail)

    def cut(self, start: int, stop: int) -> "ByteLayout":
        """Return the bytes from `start` to before `stop` of this body."""
        in_file = self.start - len(self.head)
        in_tail = len(self.head) + self.stop - self.start
        return ByteLayout(
            head=self.head[start:stop],
            start=min(max(in_file + start, self.start), self.stop),
            stop=max(min(in_file + stop, self.stop), self.start),
            tail=self.tail[max(start - in_tail, 0) : max(stop - in_tail, 0)],
        )

    def etag(self, version: str) -> str:
        """Return a strong ETag: different for different bytes, if `version` is different for different files."""
        parts = (version.encode(), b"%d-%d" % (self.start, self.stop), self.head, self.tail)
        digest = hashlib.blake2b(digest_size=16)
        for part in parts:
            digest.update(b"%d:%b" % (len(part), part))
        return f'"{digest.hexdigest()}"'


def layout_of(stored: Stored, size: int, envelope: OsrEnvelope | None) -> ByteLayout:
    """Return the body for a stored file of `size` bytes: an .osr file, or the bare frames without an envelope.

    Raise BadReplay if the frames are too long for an .osr file.
    """
    if envelope is None:
        return ByteLayout(start=stored.offset, stop=stored.offset + stored.length)
    if stored.kind == "whole":
        return ByteLayout(start=0, stop=size)
    head = envelope.header + frames_length(stored.length)
    return ByteLayout(head=head, start=0, stop=stored.length, tail=envelope.trailer)
