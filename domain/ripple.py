"""Messages of the WebSocket of Ripple's API, which clients of other private servers understand too.

Ripple documents them at https://docs.ripple.moe/docs/api/websocket.
"""

from datetime import UTC, datetime, tzinfo
from typing import Annotated, Any, Self

import msgspec
from msgspec import UNSET, Meta, UnsetType

from domain.modes import Mode
from domain.mods import BITS
from domain.scores import Score
from domain.units import Int64

# How many players a client may name.
MAX_PLAYERS = 500
# The privileges that Ripple gives every player who is not restricted: public, normal.
PRIVILEGES = 3
# Ripple's names of grades, where they differ from the game's.
RANKS = {"XH": "SSHD", "X": "SS", "SH": "SHD"}
# By `status`: failed, passed, passed and the player's best.
COMPLETED = {0: 0, 1: 2, 2: 3}


class Received(msgspec.Struct, frozen=True):
    """A message of a client."""

    type: str
    data: msgspec.Raw = msgspec.Raw(b"null")


class Sent(msgspec.Struct, frozen=True):
    """A message to a client."""

    type: str
    data: Any | UnsetType = UNSET


class Subscription(msgspec.Struct, frozen=True):
    """The scores of one player in some modes (0 to 3, with Relax and Autopilot), or in all if none is named."""

    user: Int64
    modes: list[Int64] | None = None


# No subscription stands for all scores.
Subscriptions = Annotated[list[Subscription], Meta(max_length=MAX_PLAYERS)] | None


class Identity(msgspec.Struct, frozen=True):
    """What a client says about itself. With `is_bearer`, Ripple takes the token for one of OAuth."""

    token: str
    is_bearer: bool = False


class Identified(msgspec.Struct, frozen=True, kw_only=True):
    """The player whose token a client has."""

    id: int
    username: str
    user_privileges: int = PRIVILEGES
    token_privileges: int = 0
    application_id: None = None


class User(msgspec.Struct, frozen=True, kw_only=True):
    """The player of a score."""

    id: int
    username: str
    privileges: int = PRIVILEGES


class NewScore(msgspec.Struct, frozen=True, kw_only=True):
    """A new score. `play_mode` is 0 to 3; Relax and Autopilot are mods."""

    id: int
    beatmap_md5: str
    score: int
    max_combo: int
    full_combo: bool
    mods: int
    count_300: int
    count_100: int
    count_50: int
    count_geki: int
    count_katu: int
    count_miss: int
    time: datetime | None
    play_mode: int
    accuracy: float
    pp: float
    rank: str
    completed: int
    user_id: int
    user: User

    @classmethod
    def of(cls, score: Score, zone: tzinfo | None) -> Self:
        """Return a score in this form. Its time is in the time zone `zone`, by default that of this machine."""
        play_mode, mods = in_play_mode(score.mode, score.mods)
        return cls(
            id=score.id,
            beatmap_md5=score.map_md5,
            score=score.score,
            max_combo=score.max_combo,
            full_combo=bool(score.perfect),
            mods=mods,
            count_300=score.n300,
            count_100=score.n100,
            count_50=score.n50,
            count_geki=score.ngeki,
            count_katu=score.nkatu,
            count_miss=score.nmiss,
            time=in_utc(score.play_time, zone),
            play_mode=play_mode,
            accuracy=score.acc,
            pp=score.pp,
            rank=RANKS.get(score.grade, score.grade),
            completed=COMPLETED.get(score.status, 0),
            user_id=score.userid,
            user=User(id=score.userid, username=score.player_name),
        )


def in_play_mode(mode: int, mods: int = 0) -> tuple[int, int]:
    """Return the mode as a number from 0 to 3, and the mods with Relax or Autopilot if that is part of it."""
    if mode >= Mode.AP_STD:
        return mode - Mode.AP_STD, mods | BITS["AP"]
    if mode >= Mode.RX_STD:
        return mode - Mode.RX_STD, mods | BITS["RX"]
    return mode, mods


def in_utc(time: datetime | None, zone: tzinfo | None) -> datetime | None:
    """Return a time of the game server in UTC, None if there is none or the system cannot convert it."""
    try:
        return time and (time.replace(tzinfo=zone) if zone else time.astimezone()).astimezone(UTC)
    except (OverflowError, ValueError, OSError):
        return None
