"""What is sent of a stored replay, and how it is put together of bytes and of parts of the file."""

import hashlib

import msgspec

from replays.frames import Stored
from replays.osr import Replay, header, trailer


class OsrEnvelope(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the score: what stands around bare frames, and what the file is called."""

    replay: Replay
    name: str


class ByteLayout(msgspec.Struct, frozen=True, kw_only=True):
    """`head`, the bytes from `start` to before `stop` of the file, `tail`."""

    head: bytes = b""
    start: int
    stop: int
    tail: bytes = b""

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.head) + self.stop - self.start + len(self.tail)

    def is_whole(self, size: int) -> bool:
        """Whether this is a file of `size` bytes, all of it and nothing else."""
        return not self.head and not self.tail and (self.start, self.stop) == (0, size)

    def cut(self, start: int, stop: int) -> "ByteLayout":
        """The bytes from `start` to before `stop` of this body."""
        in_file = self.start - len(self.head)
        in_tail = len(self.head) + self.stop - self.start
        return ByteLayout(
            head=self.head[start:stop],
            start=min(max(in_file + start, self.start), self.stop),
            stop=max(min(in_file + stop, self.stop), self.start),
            tail=self.tail[max(start - in_tail, 0) : max(stop - in_tail, 0)],
        )

    def etag(self, version: str) -> str:
        """A strong ETag: another one for any other bytes, as long as `version` tells one file from another."""
        parts = (version.encode(), b"%d-%d" % (self.start, self.stop), self.head, self.tail)
        digest = hashlib.blake2b(digest_size=16)
        for part in parts:
            digest.update(b"%d:%b" % (len(part), part))
        return f'"{digest.hexdigest()}"'


def layout_of(stored: Stored, size: int, wrapping: OsrEnvelope | None) -> ByteLayout:
    """The frames of a file of `size` bytes; with a wrapping, a whole .osr file. Raises BadReplay."""
    if wrapping is None:
        return ByteLayout(start=stored.offset, stop=stored.offset + stored.length)
    if stored.kind == "whole":
        return ByteLayout(start=0, stop=size)
    replay = wrapping.replay
    return ByteLayout(head=header(replay, stored.length), start=0, stop=stored.length, tail=trailer(replay))
