"""The shapes of v2, most of them derived from those of v1.

Texts are stripped of white space at both ends, flags are booleans, the pp of statistics is a float, and the rank
of an unranked player is null, not 0.
"""

from functools import cache
from typing import Annotated, get_args, get_type_hints

import msgspec
from msgspec import Meta

from domain import achievements, beatmaps, clans, players, scores
from domain.units import Action, Country, LocalTime, ModeID, ModsMask, UnixTime

FullCombo = Annotated[bool, Meta(description="whether it is a full combo")]


@cache
def _text_fields(shape: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(name for name, hint in get_type_hints(shape).items() if str in (hint, *get_args(hint)))


def is_stripped(row: msgspec.Struct) -> bool:
    """Return whether no text of `row` has white space at its ends."""
    texts = (getattr(row, name) for name in _text_fields(type(row)))
    return all(text is None or text == text.strip() for text in texts)


class Stripped(msgspec.Struct, frozen=True, kw_only=True):
    """Strips its own texts. It comes first among the bases of a shape."""

    def __post_init__(self) -> None:
        derive = getattr(super(), "__post_init__", None)
        if derive is not None:
            derive()
        for name in _text_fields(type(self)):
            text = getattr(self, name)
            if text is not None:
                msgspec.structs.force_setattr(self, name, text.strip())


class FoundPlayer(Stripped, players.FoundPlayer, frozen=True, kw_only=True):
    """A player that a search has found."""


class PlayerClan(Stripped, clans.Clan, frozen=True, kw_only=True):
    """The clan of a player."""


class PlayerDetails(Stripped, players.PlayerDetails, frozen=True, kw_only=True):
    """A player's profile."""

    clan: PlayerClan | None


class PlayerStats(players.ModeStats, frozen=True, kw_only=True):
    """A player's statistics in one mode; `xh_count` to `a_count` count best scores by grade."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("rank", "country_rank"):
            msgspec.structs.force_setattr(self, name, getattr(self, name) or None)


class LeaderboardEntry(Stripped, players.LeaderboardEntry, frozen=True, kw_only=True):
    """A player on a leaderboard. The fields of the clan are null for a player without one."""

    rank: Annotated[int, Meta(description="position on the leaderboard, from 1")] = 0


class Beatmap(Stripped, beatmaps.Beatmap, frozen=True, kw_only=True):
    """A beatmap in a list of scores. `plays` and `passes` are those of all players."""


class BeatmapDetails(Beatmap, frozen=True, kw_only=True):
    """A beatmap. `plays` and `passes` are those of all players."""

    server: Annotated[str, Meta(description="osu! or private", extra={"neutral": "osu!"})]
    filename: str
    frozen: Annotated[bool, Meta(description="whether the game server keeps `status`, whatever osu! says")]


class PlayedBeatmap(Stripped, beatmaps.PlayedBeatmap, frozen=True, kw_only=True):
    """A beatmap that a player has played; `plays` are those of that player in the mode, failed ones included."""


class Favourite(msgspec.Struct, frozen=True, kw_only=True):
    """A beatmap set that a player has marked as a favourite."""

    set_id: int


class Rating(msgspec.Struct, frozen=True, kw_only=True):
    """The ratings of a beatmap by players, from 1 to 10."""

    average: Annotated[float | None, Meta(description="null if nobody has rated it")]
    count: int


class Score(Stripped, scores.Score, frozen=True, kw_only=True):
    """A score."""

    perfect: FullCombo


class PlayerScore(Stripped, scores.PlayerScore, frozen=True, kw_only=True):
    """A score in the list of its player."""

    perfect: FullCombo
    beatmap: Beatmap | None


class PlayerScoreRow(Stripped, scores.PlayerScoreRow, frozen=True, kw_only=True):
    """The row of a PlayerScore: `beatmap` is the md5, which the beatmap's JSON replaces later."""

    perfect: FullCombo
    beatmap: str


class PinnedScoreRow(PlayerScoreRow, frozen=True, kw_only=True):
    """The row of a PlayerScore that the player has pinned."""

    pinned: int


class ScorePlayer(msgspec.Struct, frozen=True, kw_only=True):
    """The player of a score. The fields of the clan are null for a player without one."""

    id: int
    name: str
    country: Country
    clan_id: int | None
    clan_name: str | None
    clan_tag: str | None


NOBODY = ScorePlayer(id=0, name="", country="", clan_id=None, clan_name=None, clan_tag=None)


class BeatmapScore(Stripped, scores.BeatmapScore, frozen=True, kw_only=True):
    """A score in the list of its beatmap, with its player."""

    perfect: FullCombo
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
    """A score with its player and its beatmap."""

    beatmap: Beatmap | None


class Clan(Stripped, frozen=True, kw_only=True):
    """A clan. `owner` is the ID of a player, 0 if that player is hidden or no longer exists."""

    id: int
    name: str
    tag: str
    owner: Annotated[int, Meta(description="a player's id")]
    created_at: LocalTime


class ClanLeaderboardEntry(Stripped, clans.ClanLeaderboardEntry, frozen=True, kw_only=True):
    """A clan on a leaderboard. `owner` is the ID of a player, 0 if that player is hidden or no longer exists."""

    owner: Annotated[int, Meta(description="a player's id")]
    created_at: LocalTime


class Achievement(Stripped, achievements.Achievement, frozen=True, kw_only=True):
    """A medal. Its mode follows from the first word of `file`, such as `osu` of `osu-skill-pass-1`."""


class PlayerAchievement(Stripped, achievements.PlayerAchievement, frozen=True, kw_only=True):
    """A medal of a player."""


class Activity(Stripped, frozen=True, kw_only=True):
    """What an online player is doing."""

    login_time: UnixTime
    action: Action
    info_text: str
    mode: ModeID
    mods: ModsMask
    beatmap_id: Annotated[int, Meta(description="as the game client sent it: 0 or negative if none is selected")]
