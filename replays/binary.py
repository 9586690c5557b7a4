"""The values in an .osr file: numbers of fixed size, and strings with their length.

A string is `00` (none), or `0b`, its length in bytes as ULEB128, and its UTF-8:
https://osu.ppy.sh/wiki/en/Client/File_formats/osr_%28file_format%29
"""

import struct
from typing import Any


class BadReplay(ValueError):
    """These bytes are not a replay; the message says why."""


class Truncated(BadReplay):
    """These bytes begin like a replay of at least `needed` bytes, and end before that."""

    def __init__(self, needed: int) -> None:
        super().__init__(f"Cut short: the replay has at least {needed} bytes.")
        self.needed = needed


class Reader:
    """Reads one value of `data` after another; `at` is the position of the next. Raises BadReplay or Truncated."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, length: int) -> bytes:
        """Read `length` bytes."""
        end = self.at + length
        if end > len(self.data):
            raise Truncated(end)
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def unpack(self, form: struct.Struct) -> tuple[Any, ...]:
        """Read the numbers of `form`."""
        return form.unpack(self.take(form.size))

    def string(self) -> str:
        """Read a string; none is read as the empty one."""
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
    """Return `text` as a string of an .osr file."""
    # An empty string is written in full, never as the byte 00: two of the known readers crash on a null life bar.
    data = text.encode("utf-8", "replace")
    length, rest = bytearray(), len(data)
    while rest > 0x7F:
        length.append(rest & 0x7F | 0x80)
        rest >>= 7
    length.append(rest)
    return b"\x0b" + bytes(length) + data
