"""All of the .osr format, of any version: reads what the service writes, and writes what it reads."""

import struct
from datetime import datetime
from typing import Any

import msgspec

from domain.replays import ReplayScore
from replays.errors import BadReplay
from replays.osr import Reader, frames_length, header_and_trailer

TARGET_PRACTICE = 1 << 23

_START = struct.Struct("<Bi")
_PLAY = struct.Struct("<6HiHBi")
_PLAY_FIELDS = ("n300", "n100", "n50", "ngeki", "nkatu", "nmiss", "score", "max_combo", "perfect", "mods")
_END = struct.Struct("<qi")
_SCORE_ID = struct.Struct("<q")
_OLD_SCORE_ID = struct.Struct("<i")
_ACCURACY = struct.Struct("<d")


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """An .osr file without its frames. Every number fits its field of the format.

    `played_at` is in ticks. `score_id` is 0 if the version has none, `target_accuracy` None without the mod Target
    Practice.
    """

    mode: int
    game_version: int = 20200207
    beatmap_md5: str
    player_name: str
    replay_md5: str
    n300: int
    n100: int
    n50: int
    ngeki: int
    nkatu: int
    nmiss: int
    score: int
    max_combo: int
    perfect: bool
    mods: int
    life_bar: str = ""
    played_at: int
    score_id: int = 0
    target_accuracy: float | None = None


# A play that is not a score of the recorded world.
REPLAY = Replay(
    mode=0,
    beatmap_md5="0" * 32,
    player_name="someone else",
    replay_md5="1" * 32,
    n300=1,
    n100=2,
    n50=3,
    ngeki=4,
    nkatu=5,
    nmiss=6,
    score=7,
    max_combo=8,
    perfect=False,
    mods=0,
    played_at=0,
    score_id=9,
)


def written(
    frames: bytes, *, score_id: int, played_at: datetime | None, beatmap_md5: str, player_name: str, **score: Any
) -> bytes:
    """Return the .osr file that the service writes."""
    row = ReplayScore(id=score_id, play_time=played_at, player=None, beatmap=None, **score)
    header, trailer = header_and_trailer(row, player_name, beatmap_md5)
    return header + frames_length(len(frames)) + frames + trailer


def whole(replay: Replay, frames: bytes) -> bytes:
    """Return an .osr file."""
    return header(replay, len(frames)) + frames + trailer(replay)


def header(replay: Replay, frames_length: int) -> bytes:
    """Return the bytes before the frames."""
    return b"".join(
        (
            _START.pack(replay.mode, replay.game_version),
            _string(replay.beatmap_md5),
            _string(replay.player_name),
            _string(replay.replay_md5),
            _PLAY.pack(*(getattr(replay, field) for field in _PLAY_FIELDS)),
            _string(replay.life_bar),
            _END.pack(replay.played_at, frames_length),
        )
    )


def trailer(replay: Replay) -> bytes:
    """Return the bytes after the frames."""
    form = _score_id_format(replay.game_version)
    score_id = form.pack(replay.score_id) if form else b""
    if not replay.mods & TARGET_PRACTICE:
        return score_id
    accuracy = 0.0 if replay.target_accuracy is None else replay.target_accuracy
    return score_id + _ACCURACY.pack(accuracy)


def parse(data: bytes) -> tuple[Replay, bytes]:
    """Return what a whole .osr file says around its frames, and the frames. Raise BadReplay or Truncated."""
    reader = Reader(data)
    replay, frames_length = read_header(reader)
    frames = reader.take(frames_length)
    form = _score_id_format(replay.game_version)
    (score_id,) = _unpack(reader, form) if form else (0,)
    (accuracy,) = _unpack(reader, _ACCURACY) if replay.mods & TARGET_PRACTICE else (None,)
    return msgspec.structs.replace(replay, score_id=score_id, target_accuracy=accuracy), frames


def read_header(reader: Reader) -> tuple[Replay, int]:
    """Read the header and the length of the frames that follow it. Raise BadReplay or Truncated."""
    mode, game_version = _unpack(reader, _START)
    if mode > 3:
        raise BadReplay(f"There is no mode {mode}.")
    beatmap_md5, player_name, replay_md5 = reader.string(), reader.string(), reader.string()
    play = dict(zip(_PLAY_FIELDS, _unpack(reader, _PLAY), strict=True))
    life_bar = reader.string()
    played_at, frames_length = _unpack(reader, _END)
    if frames_length < 0:
        raise BadReplay(f"Frames cannot have {frames_length} bytes.")
    replay = Replay(
        mode=mode,
        game_version=game_version,
        beatmap_md5=beatmap_md5,
        player_name=player_name,
        replay_md5=replay_md5,
        life_bar=life_bar,
        played_at=played_at,
        **play | {"perfect": play["perfect"] != 0},
    )
    return replay, frames_length


def _score_id_format(game_version: int) -> struct.Struct | None:
    if game_version >= 20140721:
        return _SCORE_ID
    return _OLD_SCORE_ID if game_version >= 20121008 else None


def _unpack(reader: Reader, form: struct.Struct) -> tuple[Any, ...]:
    return form.unpack(reader.take(form.size))


def _string(text: str) -> bytes:
    data = text.encode()
    length, rest = bytearray(), len(data)
    while rest > 0x7F:
        length.append(rest & 0x7F | 0x80)
        rest >>= 7
    length.append(rest)
    return b"\x0b" + bytes(length) + data
