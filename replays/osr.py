"""The .osr file format: writing and reading what comes before and after the frames.

The format, little-endian, as published at
https://osu.ppy.sh/wiki/en/Client/File_formats/osr_%28file_format%29

    byte     mode                 0 osu!, 1 taiko, 2 catch, 3 mania; bancho.py wrote 4 to 8 until July 2023
    int32    game version         the day of the build, such as 20200207
    string   beatmap md5, player name, replay md5
    uint16   300s, 100s, 50s, gekis, katus, misses
    int32    score
    uint16   max combo
    byte     perfect              1 = full combo
    int32    mods                 bit mask
    string   life bar             "<ms>|<0 to 1>," for each sample, may be empty
    int64    played at            .NET ticks: units of 100 ns since 0001-01-01 00:00 UTC
    int32    length of the frames in bytes, then the frames (frames.py)
    int64    online score id      int32 before version 20140721, absent before 20121008
    float64  target accuracy      only with the mod Target Practice, before version 30000001
    int32    length of the score information of osu!(lazer), then that information; from version 30000001

A length below 0 means that there are no frames, or no score information. A string is `00` (none), or `0b`, its
length in bytes as ULEB128, and its UTF-8. The sizes of the score id are those of LegacyScoreDecoder in
https://github.com/ppy/osu, and so is what osu!(lazer) adds.
"""

import hashlib
import struct
from datetime import UTC, datetime, timedelta, tzinfo

import msgspec

from domain.replays import ReplayScore
from domain.times import with_zone
from replays.errors import BadReplay, Truncated

GAME_VERSION = 20200207
LAZER_VERSION = 30000001
MODES = 4
MAX_STORED_MODE = 8
TARGET_PRACTICE = 1 << 23
MAX_FRAMES = 2**31 - 1  # bytes

_UINT16 = (0, 2**16 - 1)
_INT32 = (-(2**31), 2**31 - 1)
_START = struct.Struct("<Bi")
_PLAY = struct.Struct("<6HiHBi")
_PLAYED_AT = struct.Struct("<q")
_LENGTH = struct.Struct("<i")
_TICKS_ZERO = datetime(1, 1, 1, tzinfo=UTC)


class Header(msgspec.Struct, frozen=True):
    """What a file says before its frames, as far as it is needed here. `length` is that of the frames."""

    mode: int
    version: int
    mods: int
    length: int

    @property
    def trailer_length(self) -> int:
        """How many bytes there are after the frames, without the score information of osu!(lazer) itself."""
        if self.version >= LAZER_VERSION:
            return 8 + _LENGTH.size
        score_id = 8 if self.version >= 20140721 else 4 if self.version >= 20121008 else 0
        return score_id + (8 if self.mods & TARGET_PRACTICE else 0)


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

    def string(self) -> str:
        """Read a string; none is read as the empty one."""
        marker = self.take(1)
        if marker == b"\x00":
            return ""
        if marker != b"\x0b":
            raise BadReplay(f"No string begins with the byte {marker.hex()}, at {self.at - 1}.")
        try:
            return self.take(self._string_length()).decode()
        except UnicodeDecodeError as error:
            raise BadReplay(f"The string before {self.at} is not UTF-8.") from error

    def _string_length(self) -> int:
        length = 0
        for shift in range(0, 35, 7):
            (byte,) = self.take(1)
            length |= (byte & 0x7F) << shift
            if byte < 0x80:
                return length
        raise BadReplay(f"The length of the string before {self.at} has more than 32 bits.")


def read_header(reader: Reader) -> Header:
    """Read what comes before the frames. Raise BadReplay or Truncated."""
    mode, version = _START.unpack(reader.take(_START.size))
    if mode > MAX_STORED_MODE:
        raise BadReplay(f"There is no mode {mode}.")
    for _ in ("beatmap md5", "player name", "replay md5"):
        reader.string()
    *_, mods = _PLAY.unpack(reader.take(_PLAY.size))
    reader.string()
    reader.take(_PLAYED_AT.size)
    return Header(mode, version, mods, max(read_length(reader.take(_LENGTH.size)), 0))


def read_length(data: bytes) -> int:
    """Return the length of the frames, or of the score information of osu!(lazer), from its four bytes."""
    length: int
    (length,) = _LENGTH.unpack(data)
    return length


def header_and_trailer(
    score: ReplayScore, player_name: str, beatmap_md5: str, zone: tzinfo | None = None
) -> tuple[bytes, bytes]:
    """Return what comes before the length of the frames of a passed score, and what comes after the frames.

    The score's `play_time` is in the time zone `zone`, by default that of this machine.

    A number that its field cannot hold becomes the nearest one that it can: one wrong count must not make the
    frames unavailable. The replay md5 is that of the numbers as they are written.
    """
    counts = [
        _clamp(count, _UINT16)
        for count in (score.n300, score.n100, score.n50, score.ngeki, score.nkatu, score.nmiss)
    ]
    n300, n100, n50, ngeki, nkatu, nmiss = counts
    total, mods = _clamp(score.score, _INT32), _clamp(score.mods, _INT32)
    max_combo, perfect = _clamp(score.max_combo, _UINT16), bool(score.perfect)
    # As the game does for a passed play.
    signed = (
        f"{n100 + n300}p{n50}o{ngeki}o{nkatu}t{nmiss}a{beatmap_md5}r{max_combo}e{perfect}y{player_name}"
        f"o{total}u{score.grade}{mods}True"
    )
    replay_md5 = hashlib.md5(signed.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
    header = (
        _START.pack(score.mode % MODES, GAME_VERSION),
        *(_string(text) for text in (beatmap_md5, player_name, replay_md5)),
        _PLAY.pack(*counts, total, max_combo, perfect, mods),
        # An empty life bar is written in full, never as the byte 00: two of the known readers crash on that.
        _string(""),
        _PLAYED_AT.pack(ticks(score.play_time, zone) if score.play_time else 0),
    )
    target_accuracy = struct.pack("<d", 0.0) if mods & TARGET_PRACTICE else b""
    return b"".join(header), struct.pack("<q", score.id) + target_accuracy


def frames_length(length: int) -> bytes:
    """Return the length of the frames as it is written. Raise BadReplay if its field cannot hold it."""
    if length > MAX_FRAMES:
        raise BadReplay(f"Frames of {length} bytes fit no .osr file.")
    return _LENGTH.pack(length)


def ticks(time: datetime, zone: tzinfo | None = None) -> int:
    """Return a time as .NET ticks. A naive time is in the time zone `zone`, by default that of this machine."""
    return (with_zone(time, zone) - _TICKS_ZERO) // timedelta(microseconds=1) * 10


def _string(text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    length, rest = bytearray(), len(data)
    while rest > 0x7F:
        length.append(rest & 0x7F | 0x80)
        rest >>= 7
    length.append(rest)
    return b"\x0b" + bytes(length) + data


def _clamp(number: int, bounds: tuple[int, int]) -> int:
    return min(max(number, bounds[0]), bounds[1])
