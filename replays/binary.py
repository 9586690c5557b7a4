"""The values that .osr files are made of: numbers of fixed size, and strings with their length before them.

A string is `00` (none), or `0b`, its length in bytes as ULEB128, and its UTF-8.
"""

import struct
from typing import Any


class BadReplay(ValueError):
    """These bytes are no replay; the message says why."""


class Truncated(BadReplay):
    """These bytes begin as a replay and end too early: it has at least `needed` bytes."""

    def __init__(self, needed: int) -> None:
        super().__init__(f"Cut short: the replay has at least {needed} bytes.")
        self.needed = needed


class Reader:
    """Takes values off the front of `data`; `at` is how far it has come. Raises BadReplay or Truncated."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, length: int) -> bytes:
        """So many bytes."""
        end = self.at + length
        if end > len(self.data):
            raise Truncated(end)
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def unpack(self, form: struct.Struct) -> tuple[Any, ...]:
        """The numbers of `form`."""
        return form.unpack(self.take(form.size))

    def string(self) -> str:
        """A string; none is the empty one."""
        marker = self.take(1)
        if marker == b"\x00":
            return ""
        if marker != b"\x0b":
            raise BadReplay(f"No string begins with the byte {marker.hex()}, at {self.at - 1}.")
        try:
            return self.take(self._length()).decode()
        except UnicodeDecodeError as error:
            raise BadReplay(f"The string before {self.at} is not UTF-8.") from error

    def _length(self) -> int:
        length = 0
        for shift in range(0, 35, 7):
            (byte,) = self.take(1)
            length |= (byte & 0x7F) << shift
            if byte < 0x80:
                return length
        raise BadReplay(f"The length of the string before {self.at} has more than 32 bits.")


def string(text: str) -> bytes:
    """`text` as a file holds it."""
    # An empty string is written out, never as the byte 00: two of the known readers crash on a null life bar.
    data = text.encode("utf-8", "replace")
    length, left = bytearray(), len(data)
    while left > 0x7F:
        length.append(left & 0x7F | 0x80)
        left >>= 7
    length.append(left)
    return b"\x0b" + bytes(length) + data
