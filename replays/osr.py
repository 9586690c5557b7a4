"""The .osr file format: writing and reading what comes before and after the frames.

The format, little-endian, as published at
https://osu.ppy.sh/wiki/en/Client/File_formats/osr_%28file_format%29

    byte     mode                 0 osu!, 1 taiko, 2 catch, 3 mania
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
    float64  target accuracy      only with the mod Target Practice

Strings are described in binary.py. The sizes of the score id are those of LegacyScoreDecoder in
https://github.com/ppy/osu. Newer clients append more, which is not read.
"""

import hashlib
import struct
from datetime import UTC, datetime, timedelta

import msgspec

from replays.binary import BadReplay, Reader, string

GAME_VERSION = 20200207
TARGET_PRACTICE = 1 << 23

_UINT16 = (0, 2**16 - 1)
_INT32 = (-(2**31), 2**31 - 1)
_INT64 = (-(2**63), 2**63 - 1)
_START = struct.Struct("<Bi")
_PLAY = struct.Struct("<6HiHBi")
_PLAY_FIELDS = ("n300", "n100", "n50", "ngeki", "nkatu", "nmiss", "score", "max_combo", "perfect", "mods")
_END = struct.Struct("<qi")
_SCORE_ID = struct.Struct("<q")
_OLD_SCORE_ID = struct.Struct("<i")
_ACCURACY = struct.Struct("<d")
_TICKS_ZERO = datetime(1, 1, 1, tzinfo=UTC)


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """An .osr file without its frames. Every number fits its field of the format.

    `played_at` is in ticks. `score_id` is 0 if the version has none, `target_accuracy` None without the mod Target
    Practice.
    """

    mode: int
    game_version: int = GAME_VERSION
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

    @classmethod
    def of(
        cls,
        *,
        score_id: int,
        mode: int,
        beatmap_md5: str,
        player_name: str,
        n300: int,
        n100: int,
        n50: int,
        ngeki: int,
        nkatu: int,
        nmiss: int,
        score: int,
        max_combo: int,
        perfect: bool,
        mods: int,
        grade: str,
        played_at: datetime,
    ) -> "Replay":
        """Return the replay of a passed score. `mode` 0 to 11 becomes 0 to 3; a naive `played_at` is UTC.

        A number that its field cannot hold becomes the nearest one that it can: one wrong count must not make the
        frames unavailable. The replay md5 is that of the numbers as they are written.
        """
        replay = cls(
            mode=mode % 4,
            beatmap_md5=beatmap_md5,
            player_name=player_name,
            replay_md5="",
            n300=_clamp(n300, _UINT16),
            n100=_clamp(n100, _UINT16),
            n50=_clamp(n50, _UINT16),
            ngeki=_clamp(ngeki, _UINT16),
            nkatu=_clamp(nkatu, _UINT16),
            nmiss=_clamp(nmiss, _UINT16),
            score=_clamp(score, _INT32),
            max_combo=_clamp(max_combo, _UINT16),
            perfect=bool(perfect),
            mods=_clamp(mods, _INT32),
            played_at=_clamp(ticks(played_at), _INT64),
            score_id=_clamp(score_id, _INT64),
            target_accuracy=0.0 if _clamp(mods, _INT32) & TARGET_PRACTICE else None,
        )
        return msgspec.structs.replace(replay, replay_md5=replay_md5(replay, grade))


def replay_md5(replay: Replay, grade: str) -> str:
    """Return the md5 in hex that the game gives to a passed play. `grade` is XH, X, SH, S, A, B, C or D."""
    text = (
        f"{replay.n100 + replay.n300}p{replay.n50}o{replay.ngeki}o{replay.nkatu}t{replay.nmiss}"
        f"a{replay.beatmap_md5}r{replay.max_combo}e{replay.perfect}y{replay.player_name}"
        f"o{replay.score}u{grade}{replay.mods}True"
    )
    return hashlib.md5(text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


def ticks(time: datetime) -> int:
    """Return a time as .NET ticks. A naive time is UTC."""
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return (aware - _TICKS_ZERO) // timedelta(microseconds=1) * 10


def header(replay: Replay, frames_length: int) -> bytes:
    """Return the bytes before the frames. Raise BadReplay if an int32 cannot hold the length of the frames."""
    if not 0 <= frames_length <= _INT32[1]:
        raise BadReplay(f"Frames of {frames_length} bytes fit no .osr file.")
    return b"".join(
        (
            _START.pack(replay.mode, replay.game_version),
            string(replay.beatmap_md5),
            string(replay.player_name),
            string(replay.replay_md5),
            _PLAY.pack(*(getattr(replay, field) for field in _PLAY_FIELDS)),
            string(replay.life_bar),
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
    (score_id,) = reader.unpack(form) if form else (0,)
    (accuracy,) = reader.unpack(_ACCURACY) if replay.mods & TARGET_PRACTICE else (None,)
    return msgspec.structs.replace(replay, score_id=score_id, target_accuracy=accuracy), frames


def read_header(reader: Reader) -> tuple[Replay, int]:
    """Read the header and the length of the frames that follow it. Raise BadReplay or Truncated."""
    mode, game_version = reader.unpack(_START)
    if mode > 3:
        raise BadReplay(f"There is no mode {mode}.")
    beatmap_md5, player_name, replay_md5 = reader.string(), reader.string(), reader.string()
    play = dict(zip(_PLAY_FIELDS, reader.unpack(_PLAY), strict=True))
    life_bar = reader.string()
    played_at, frames_length = reader.unpack(_END)
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


def _clamp(number: int, bounds: tuple[int, int]) -> int:
    return min(max(number, bounds[0]), bounds[1])
