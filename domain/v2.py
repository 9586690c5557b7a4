"""The shapes of v2, most of them derived from those of v1.

Texts are stripped of white space at both ends, flags are booleans, the pp of statistics is a float, and the rank
of an unranked player is null, not 0.
"""

from functools import cache
from typing import Annotated, get_args, get_type_hints

import msgspec
from msgspec import Meta

from domain import achievements, beatmaps, clans, players, scores
from domain.units import (
    Action,
    ActionText,
    BeatmapSetID,
    ClanID,
    ClanIDOrNull,
    ClanName,
    ClanNameOrNull,
    ClanTag,
    ClanTagOrNull,
    Country,
    CreationTime,
    Int32,
    ModeID,
    PlayerID,
    PlayerName,
    SelectedMods,
    description_of,
)

FullCombo = Annotated[bool, Meta(description="Whether it is a full combo.")]
BoardRank = Annotated[Int32, Meta(description="Position on the leaderboard, from 1.")]
BeatmapServer = Annotated[
    str, Meta(description="Where the beatmap is from: `osu!` or `private`.", extra={"neutral": "osu!"})
]
FileName = Annotated[str, Meta(description="Name of the .osu file.")]
Frozen = Annotated[bool, Meta(description="Whether the game server keeps `status` when osu! changes it.")]
AverageRating = Annotated[
    float | None, Meta(description="Average of the ratings, 1 to 10; null if nobody has rated the beatmap.")
]
RatingCount = Annotated[Int32, Meta(description="Number of players who have rated the beatmap.")]
OwnerID = Annotated[
    Int32, Meta(description="ID of the clan's owner; 0 if that player is hidden or no longer exists.")
]
LoginTime = Annotated[Int32, Meta(description="Time of the login, as Unix time in seconds.")]
SelectedBeatmapID = Annotated[
    Int32,
    Meta(description="ID of the selected beatmap, as the game client sent it; 0 or negative if none is selected."),
]


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


ClanOrNull = Annotated[PlayerClan | None, Meta(description=description_of(players.ClanOrNull))]


class PlayerDetails(Stripped, players.PlayerDetails, frozen=True, kw_only=True):
    """A player's profile."""

    clan: ClanOrNull


class PlayerStats(players.ModeStats, frozen=True, kw_only=True):
    """A player's statistics in one mode."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("rank", "country_rank"):
            msgspec.structs.force_setattr(self, name, getattr(self, name) or None)


class LeaderboardEntry(Stripped, players.LeaderboardEntry, frozen=True, kw_only=True):
    """A player on a leaderboard."""

    rank: BoardRank = 0


class Beatmap(Stripped, beatmaps.Beatmap, frozen=True, kw_only=True):
    """A beatmap in a list of scores."""


class BeatmapDetails(Beatmap, frozen=True, kw_only=True):
    """A beatmap."""

    server: BeatmapServer
    filename: FileName
    frozen: Frozen


class PlayedBeatmap(Stripped, beatmaps.PlayedBeatmap, frozen=True, kw_only=True):
    """A beatmap that a player has played."""


class Favourite(msgspec.Struct, frozen=True, kw_only=True):
    """A beatmap set that a player has marked as a favourite."""

    set_id: BeatmapSetID


class Rating(msgspec.Struct, frozen=True, kw_only=True):
    """The ratings of a beatmap by players."""

    average: AverageRating
    count: RatingCount


BeatmapOrNull = Annotated[Beatmap | None, Meta(description="Beatmap of the score; null if it is unknown.")]


class Score(Stripped, scores.Score, frozen=True, kw_only=True):
    """A score."""

    perfect: FullCombo


class PlayerScore(Stripped, scores.PlayerScore, frozen=True, kw_only=True):
    """A score in the list of its player."""

    perfect: FullCombo
    beatmap: BeatmapOrNull


class PlayerScoreRow(Stripped, scores.PlayerScoreRow, frozen=True, kw_only=True):
    """The row of a PlayerScore: `beatmap` is the md5, which the beatmap's JSON replaces later."""

    perfect: FullCombo
    beatmap: str


class PinnedScoreRow(PlayerScoreRow, frozen=True, kw_only=True):
    """The row of a PlayerScore that the player has pinned."""

    pinned: int


class ScorePlayer(msgspec.Struct, frozen=True, kw_only=True):
    """The player of a score."""

    id: PlayerID
    name: PlayerName
    country: Country
    clan_id: ClanIDOrNull
    clan_name: ClanNameOrNull
    clan_tag: ClanTagOrNull


NOBODY = ScorePlayer(id=0, name="", country="", clan_id=None, clan_name=None, clan_tag=None)


PlayerOfScore = Annotated[ScorePlayer, Meta(description="Player of the score.")]


class BeatmapScore(Stripped, scores.BeatmapScore, frozen=True, kw_only=True):
    """A score in the list of its beatmap, with its player."""

    perfect: FullCombo
    player: PlayerOfScore = NOBODY

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

    beatmap: BeatmapOrNull


class Clan(Stripped, frozen=True, kw_only=True):
    """A clan."""

    id: ClanID
    name: ClanName
    tag: ClanTag
    owner: OwnerID
    created_at: CreationTime


class ClanLeaderboardEntry(Stripped, clans.ClanLeaderboardEntry, frozen=True, kw_only=True):
    """A clan on a leaderboard."""

    owner: OwnerID
    created_at: CreationTime


class Achievement(Stripped, achievements.Achievement, frozen=True, kw_only=True):
    """A medal. Its mode follows from the first word of `file`, such as `osu` of `osu-skill-pass-1`."""


class PlayerAchievement(Stripped, achievements.PlayerAchievement, frozen=True, kw_only=True):
    """A medal of a player."""


class Activity(Stripped, frozen=True, kw_only=True):
    """What an online player is doing."""

    login_time: LoginTime
    action: Action
    info_text: ActionText
    mode: ModeID
    mods: SelectedMods
    beatmap_id: SelectedBeatmapID
