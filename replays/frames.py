"""The frames of a replay: where they are in a stored file, and reading them.

Frames are text, each `<w>|<x>|<y>|<keys>,`: w ms since the frame before, x 0 to 512, y 0 to 384, keys a bit mask.
The game ignores what has fewer fields, and further fields.
The text is compressed with LZMA, in the format with a header of 13 bytes. Since version 20130319 the last one is
`-12345|0|0|<seed>`: not a frame, but the seed of the mod Random. Source:
https://osu.ppy.sh/wiki/en/Client/File_formats/osr_%28file_format%29

Some servers store only the frames, as the game sent them ("bare"), others store .osr files ("whole").
"""

import lzma
import re
import struct
from collections.abc import AsyncIterable
from typing import Literal

import msgspec

from replays.errors import BadReplay, Truncated
from replays.osr import Header, Reader, read_header

HEAD_LIMIT = 1 << 24  # bytes; the life bar of a play of a week is shorter
TEXT_LIMIT = 1 << 27  # bytes; the frames of a play of a day are shorter
FRAME_LIMIT = 4096  # bytes; a frame has about 20
MEMORY_LIMIT = 1 << 26  # bytes for the decoder; the game compresses with a dictionary of 2 MiB

_CHUNK = 1 << 16
_MIN_SIZE = 18  # LZMA's header and the first bytes of its range coder
_LZMA = struct.Struct("<BIQB")
_NUMBER = rb"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*"
_FRAME = re.compile(rb"%b\|%b\|%b\|\s*[+-]?[0-9]+\s*(?:\|.*)?" % (_NUMBER, _NUMBER, _NUMBER), re.DOTALL)
_SEED = b"-12345"

NO_FRAMES = "It has no frames."


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A stored replay whose frames are the `length` bytes from `offset`. Only a whole one has a header."""

    offset: int
    length: int
    header: Header | None = None

    @property
    def kind(self) -> Literal["bare", "whole"]:
        return "whole" if self.header else "bare"


class NeedMore(msgspec.Struct, frozen=True, kw_only=True):
    """The first `head` bytes of the file are needed, perhaps more."""

    head: int


def locate(head: bytes, size: int) -> Stored | NeedMore:
    """Return where the frames are in a file of `size` bytes that begins with `head`.

    NeedMore asks for more than `head`, at most for HEAD_LIMIT or the whole file. Raise Truncated if the file ends
    before its frames, BadReplay if it is neither bare nor whole.
    """
    head = head[:size]
    if size < _MIN_SIZE:
        raise Truncated(_MIN_SIZE)
    if len(head) < _MIN_SIZE:
        return NeedMore(head=_MIN_SIZE)
    try:
        return _whole(head, size)
    except BadReplay:
        if not _is_lzma(head):
            raise
    return Stored(offset=0, length=size)


async def check_frames(chunks: AsyncIterable[bytes | memoryview]) -> None:
    """Decode the chunks of a bare replay as the game does. The memory is bounded whatever they are.

    Bytes after the end are ignored. Raise Truncated if the chunks end too early, BadReplay if they are not LZMA,
    have no frames, have one that the game cannot read, or exceed a limit.
    """
    decoder = lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=MEMORY_LIMIT)
    read = written = found = 0
    rest = b""
    async for chunk in chunks:
        read += len(chunk)
        text = _decode(decoder, chunk)
        while text or decoder.eof:
            written += len(text)
            if written > TEXT_LIMIT:
                raise BadReplay(f"The frames have more than {TEXT_LIMIT} bytes of text.")
            *frames, rest = (rest + text).split(b",")
            found += sum(map(_is_frame, frames))
            # Some writers leave out the last comma.
            if decoder.eof or len(rest) > FRAME_LIMIT:
                found += _is_frame(rest)
            if decoder.eof:
                if not found:
                    raise BadReplay(NO_FRAMES)
                return
            text = _decode(decoder, b"")
    raise Truncated(read + 1)


def _whole(head: bytes, size: int) -> Stored | NeedMore:
    reader = Reader(head)
    try:
        header = read_header(reader)
    except Truncated as cut:
        if cut.needed > size:
            raise
        if cut.needed > HEAD_LIMIT:
            raise BadReplay(f"The header has at least {cut.needed} bytes.") from cut
        return NeedMore(head=cut.needed)
    end = reader.at + header.length
    if end > size:
        raise Truncated(end)
    return Stored(offset=reader.at, length=header.length, header=header)


def _is_lzma(head: bytes) -> bool:
    # As liblzma recognises this format, which has no magic number: lc + lp at most 4, a size that is unknown or
    # below 256 GiB, and the first byte of the range coder, which is always 0.
    properties, _, size, first = _LZMA.unpack_from(head)
    lc, lp = properties % 9, properties // 9 % 5
    return bool(properties < 225 and lc + lp <= 4 and (size == 2**64 - 1 or size < 2**38) and first == 0)


def _decode(decoder: lzma.LZMADecompressor, data: bytes | memoryview) -> bytes:
    try:
        return decoder.decompress(data, max_length=_CHUNK)
    except lzma.LZMAError as error:
        raise BadReplay(f"The frames cannot be decompressed: {error}.") from error


def _is_frame(text: bytes) -> bool:
    """Return whether `text` is a frame, and not something that the game ignores. Raise BadReplay."""
    if len(text) > FRAME_LIMIT:
        raise BadReplay(f"A frame has more than {FRAME_LIMIT} bytes.")
    if _FRAME.fullmatch(text):
        return not text.startswith(_SEED)
    fields = text.split(b"|")
    if len(fields) < 4 or fields[0] == _SEED:
        return False
    raise BadReplay(f"{text[:80]!r} is no frame.")
