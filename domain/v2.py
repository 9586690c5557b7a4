"""The shapes of the second version: those of the first, and what differs.

Texts are stripped of white space at both ends, flags are true or false, pp of stats is a float, and who is
unranked has no rank instead of rank 0.
"""

from datetime import datetime
from functools import cache
from typing import get_args, get_type_hints

import msgspec

from domain import beatmaps, clans, players, scores


@cache
def _texts(shape: type[msgspec.Struct]) -> tuple[str, ...]:
    """The fields of `shape` that hold a text."""
    return tuple(name for name, hint in get_type_hints(shape).items() if str in (hint, *get_args(hint)))


class Stripped(msgspec.Struct, frozen=True, kw_only=True):
    """Strips its texts; comes first among the bases of a shape."""

    def __post_init__(self) -> None:
        derive = getattr(super(), "__post_init__", None)
        if derive is not None:
            derive()
        for name in _texts(type(self)):
            text = getattr(self, name)
            if text is not None:
                msgspec.structs.force_setattr(self, name, text.strip())


class FoundPlayer(Stripped, players.FoundPlayer, frozen=True, kw_only=True):
    """See the first version."""


class PlayerClan(Stripped, clans.Clan, frozen=True, kw_only=True):
    """A clan as its players mention it."""


class PlayerDetails(Stripped, players.PlayerDetails, frozen=True, kw_only=True):
    """See the first version."""

    clan: PlayerClan | None


class PlayerStats(players.ModeStats, frozen=True, kw_only=True):
    """What a player has reached in one mode; no rank for who is unranked."""

    def __post_init__(self) -> None:
        for name in ("rank", "country_rank"):
            msgspec.structs.force_setattr(self, name, getattr(self, name) or None)


class LeaderboardEntry(Stripped, players.LeaderboardEntry, frozen=True, kw_only=True):
    """One line of a leaderboard; `rank` is the place on it, counted from 1."""

    rank: int = 0


class Beatmap(Stripped, beatmaps.Beatmap, frozen=True, kw_only=True):
    """A beatmap as a score mentions it."""


class BeatmapDetails(Beatmap, frozen=True, kw_only=True):
    """The row of a beatmap; `server` is `osu!` or `private`, a `frozen` one keeps its ranked status."""

    server: str
    filename: str
    frozen: bool


class PlayedBeatmap(Stripped, beatmaps.PlayedBeatmap, frozen=True, kw_only=True):
    """See the first version."""


class Rating(msgspec.Struct, frozen=True, kw_only=True):
    """What players think of a beatmap, 1 to 10; no average without any rating."""

    average: float | None
    count: int


class Score(Stripped, scores.Score, frozen=True, kw_only=True):
    """A score in a list of scores."""

    perfect: bool


class PlayerScore(Stripped, scores.PlayerScore, frozen=True, kw_only=True):
    """A score in the list of its player."""

    perfect: bool
    beatmap: Beatmap | None


class PlayerScoreRow(Stripped, scores.PlayerScoreRow, frozen=True, kw_only=True):
    """See the first version."""

    perfect: bool
    beatmap: str


class ScorePlayer(msgspec.Struct, frozen=True, kw_only=True):
    """Who set a score."""

    id: int
    name: str
    country: str
    clan_id: int | None
    clan_name: str | None
    clan_tag: str | None


NOBODY = ScorePlayer(id=0, name="", country="", clan_id=None, clan_name=None, clan_tag=None)


class BeatmapScore(Stripped, scores.BeatmapScore, frozen=True, kw_only=True):
    """A score in the list of its beatmap; `player` is made from the columns about its player."""

    perfect: bool
    player: ScorePlayer = NOBODY

    def __post_init__(self) -> None:
        super().__post_init__()
        player = ScorePlayer(
            id=self.userid,
            name=self.player_name,
            country=self.player_country,
            clan_id=self.clan_id,
            clan_name=self.clan_name,
            clan_tag=self.clan_tag,
        )
        msgspec.structs.force_setattr(self, "player", player)


class ScoreDetails(BeatmapScore, frozen=True, kw_only=True):
    """A single score; no beatmap when that is gone."""

    beatmap: Beatmap | None


class Clan(Stripped, frozen=True, kw_only=True):
    """A clan. `owner` is the ID of a player, 0 if that player is hidden or no longer exists."""

    id: int
    name: str
    tag: str
    owner: int
    created_at: datetime | None


class Activity(Stripped, frozen=True, kw_only=True):
    """What an online player is doing; `login_time` in unix seconds, `beatmap_id` 0 when there is none."""

    login_time: int
    action: int
    info_text: str
    mode: int
    mods: int
    beatmap_id: int
