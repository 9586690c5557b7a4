"""The shapes of the osu! API v1, as https://github.com/ppy/osu-api/wiki describes them.

Numbers are texts, times are UTC, and the fields have the order of the official API.
"""

from datetime import UTC, datetime, tzinfo
from typing import Annotated

import msgspec
from msgspec import Meta

from domain import beatmaps, players, scores, units
from domain.beatmaps import Beatmap
from domain.levels import shown_level
from domain.players import ModeStats, PlayerDetails
from domain.times import unzoned, utc_text
from domain.units import description_of

# Stands for a time that the database does not have: clients read times, and null is not one.
NO_TIME = "1970-01-01 00:00:00"
# By `maps.status`: ranked, approved, qualified, loved. All others are pending.
APPROVED = {2: "1", 3: "2", 4: "3", 5: "4"}
FAILED = 0

JoinDate = Annotated[str, Meta(description="Time when the player registered, in UTC, as YYYY-MM-DD HH:MM:SS.")]
Date = Annotated[str, Meta(description="Time of the play in UTC, as YYYY-MM-DD HH:MM:SS.")]
LastUpdate = Annotated[str, Meta(description="Time of the last update in UTC, as YYYY-MM-DD HH:MM:SS.")]
LikeLastUpdate = Annotated[str, Meta(description="The same as `last_update`.")]
ApprovedDate = Annotated[str, Meta(description="The same as `last_update`; null if the beatmap is pending.")]
Unknown = Annotated[str, Meta(description="Always 0: game servers do not store it.")]
AlwaysNull = Annotated[str, Meta(description="Always null.")]
AlwaysEmpty = Annotated[str, Meta(description="Always empty.")]
Unspecified = Annotated[str, Meta(description="Always 1: unspecified.")]

Mods = Annotated[str, Meta(description="Mods as a bitmask, in the bits of the .osr format.")]
Flag = Annotated[str, Meta(description=description_of(scores.FullCombo))]
Grade = Annotated[str, Meta(description="Grade: XH, X, SH, S, A, B, C or D; F for a failed score.")]
ReplayAvailable = Annotated[str, Meta(description="1 if the replay is stored, else 0.")]
ScoreID = Annotated[str, Meta(description=description_of(units.ScoreID))]
ScoreIDOrNull = Annotated[str, Meta(description="ID of the score; null for a failed one.")]
Points = Annotated[str, Meta(description=description_of(units.Points))]
PP = Annotated[str, Meta(description=description_of(units.ScorePP))]
Combo = Annotated[str, Meta(description=description_of(units.Combo))]
Hits300 = Annotated[str, Meta(description=description_of(units.Hits300))]
Hits100 = Annotated[str, Meta(description=description_of(units.Hits100))]
Hits50 = Annotated[str, Meta(description=description_of(units.Hits50))]
Misses = Annotated[str, Meta(description=description_of(units.Misses))]
Gekis = Annotated[str, Meta(description=description_of(units.Gekis))]
Katus = Annotated[str, Meta(description=description_of(units.Katus))]

UserID = Annotated[str, Meta(description=description_of(units.PlayerID))]
PlayCount = Annotated[str, Meta(description=description_of(units.PlayCount))]
RankedScore = Annotated[str, Meta(description=description_of(units.RankedScore))]
TotalScore = Annotated[str, Meta(description=description_of(units.TotalScore))]
WorldRank = Annotated[str, Meta(description=description_of(players.WorldRankOrZero))]
CountryRank = Annotated[str, Meta(description=description_of(players.CountryRankOrZero))]
Level = Annotated[str, Meta(description="Level; the four decimals are the progress to the next level.")]
UserPP = Annotated[str, Meta(description=description_of(units.PlayerPP))]
Accuracy = Annotated[str, Meta(description="Accuracy in the mode in percent.")]
XCount = Annotated[str, Meta(description=description_of(units.XCount))]
XHCount = Annotated[str, Meta(description=description_of(units.XHCount))]
SCount = Annotated[str, Meta(description=description_of(units.SCount))]
SHCount = Annotated[str, Meta(description=description_of(units.SHCount))]
ACount = Annotated[str, Meta(description=description_of(units.ACount))]
Country = Annotated[str, Meta(description="Country of the player: two upper-case letters, `XX` if unknown.")]
Playtime = Annotated[str, Meta(description=description_of(units.Playtime))]

BeatmapID = Annotated[str, Meta(description=description_of(units.BeatmapID))]
BeatmapSetID = Annotated[str, Meta(description=description_of(units.BeatmapSetID))]
Approved = Annotated[
    str, Meta(description="Ranked status: 0 pending, 1 ranked, 2 approved, 3 qualified, 4 loved.")
]
Length = Annotated[str, Meta(description=description_of(beatmaps.Length))]
HitLength = Annotated[str, Meta(description="The same as `total_length`.")]
CircleSize = Annotated[str, Meta(description=description_of(beatmaps.CircleSize))]
OverallDifficulty = Annotated[str, Meta(description=description_of(beatmaps.OverallDifficulty))]
ApproachRate = Annotated[str, Meta(description=description_of(beatmaps.ApproachRate))]
HPDrain = Annotated[str, Meta(description=description_of(beatmaps.HPDrain))]
Ruleset = Annotated[str, Meta(description=description_of(units.Ruleset))]
ArtistUnicode = Annotated[str, Meta(description="The same as `artist`.")]
TitleUnicode = Annotated[str, Meta(description="The same as `title`.")]
BPM = Annotated[str, Meta(description=description_of(beatmaps.BPM))]
Favourites = Annotated[
    str, Meta(description="Number of players who like the set; 0 in a list of more than 20 sets.")
]
Rating = Annotated[str, Meta(description="Average of the players' ratings, 1 to 10; 0 if there are none.")]
Plays = Annotated[str, Meta(description=description_of(beatmaps.Plays))]
Passes = Annotated[str, Meta(description=description_of(beatmaps.Passes))]
MaxCombo = Annotated[str, Meta(description=description_of(beatmaps.MaxCombo))]
StarRating = Annotated[str, Meta(description=description_of(beatmaps.StarRating))]


class Event(msgspec.Struct, frozen=True):
    """An event of a player. Game servers do not store any."""


class OsuUser(msgspec.Struct, frozen=True, kw_only=True):
    """A player with the statistics of a mode. All of them are 0 for one who has none in the mode."""

    user_id: UserID
    username: units.PlayerName
    join_date: JoinDate
    count300: Unknown = "0"
    count100: Unknown = "0"
    count50: Unknown = "0"
    playcount: PlayCount = "0"
    ranked_score: RankedScore = "0"
    total_score: TotalScore = "0"
    pp_rank: WorldRank = "0"
    level: Level = "0"
    pp_raw: UserPP = "0"
    accuracy: Accuracy = "0"
    count_rank_ss: XCount = "0"
    count_rank_ssh: XHCount = "0"
    count_rank_s: SCount = "0"
    count_rank_sh: SHCount = "0"
    count_rank_a: ACount = "0"
    country: Country
    total_seconds_played: Playtime = "0"
    pp_country_rank: CountryRank = "0"
    events: Annotated[list[Event], Meta(description="Always empty.")] = []


class OsuBestScore(msgspec.Struct, frozen=True, kw_only=True):
    """One of a player's best scores."""

    beatmap_id: BeatmapID
    score_id: ScoreID
    score: Points
    maxcombo: Combo
    count50: Hits50
    count100: Hits100
    count300: Hits300
    countmiss: Misses
    countkatu: Katus
    countgeki: Gekis
    perfect: Flag
    enabled_mods: Mods
    user_id: UserID
    date: Date
    rank: Grade
    pp: PP
    replay_available: ReplayAvailable


class OsuRecentScore(msgspec.Struct, frozen=True, kw_only=True):
    """One of a player's latest scores."""

    beatmap_id: BeatmapID
    score: Points
    maxcombo: Combo
    count50: Hits50
    count100: Hits100
    count300: Hits300
    countmiss: Misses
    countkatu: Katus
    countgeki: Gekis
    perfect: Flag
    enabled_mods: Mods
    user_id: UserID
    date: Date
    rank: Grade
    score_id: ScoreIDOrNull | None


class OsuBeatmapScore(msgspec.Struct, frozen=True, kw_only=True):
    """A player's best score on a beatmap."""

    score_id: ScoreID
    score: Points
    username: units.PlayerName
    maxcombo: Combo
    count50: Hits50
    count100: Hits100
    count300: Hits300
    countmiss: Misses
    countkatu: Katus
    countgeki: Gekis
    perfect: Flag
    enabled_mods: Mods
    user_id: UserID
    date: Date
    rank: Grade
    pp: PP
    replay_available: ReplayAvailable


class OsuBeatmap(msgspec.Struct, frozen=True, kw_only=True):
    """A beatmap."""

    beatmapset_id: BeatmapSetID
    beatmap_id: BeatmapID
    approved: Approved
    total_length: Length
    hit_length: HitLength
    version: units.Version
    file_md5: units.BeatmapMD5
    diff_size: CircleSize
    diff_overall: OverallDifficulty
    diff_approach: ApproachRate
    diff_drain: HPDrain
    mode: Ruleset
    count_normal: Unknown = "0"
    count_slider: Unknown = "0"
    count_spinner: Unknown = "0"
    submit_date: LikeLastUpdate
    approved_date: ApprovedDate | None
    last_update: LastUpdate
    artist: units.Artist
    artist_unicode: ArtistUnicode
    title: units.Title
    title_unicode: TitleUnicode
    creator: units.Creator
    creator_id: Unknown = "0"
    bpm: BPM
    source: AlwaysEmpty = ""
    tags: AlwaysEmpty = ""
    genre_id: Unspecified = "1"
    language_id: Unspecified = "1"
    favourite_count: Favourites
    rating: Rating
    storyboard: Unknown = "0"
    video: Unknown = "0"
    download_unavailable: Unknown = "0"
    audio_unavailable: Unknown = "0"
    playcount: Plays
    passcount: Passes
    packs: AlwaysNull | None = None
    max_combo: MaxCombo
    diff_aim: AlwaysNull | None = None
    diff_speed: AlwaysNull | None = None
    difficultyrating: StarRating


class OsuReplay(msgspec.Struct, frozen=True, kw_only=True):
    """The frames of a replay, compressed with LZMA as the game client uploaded them."""

    content: Annotated[str, Meta(description="Frames of the replay in Base64.")]
    encoding: Annotated[str, Meta(description="Always `base64`.")] = "base64"


class OsuMatch(msgspec.Struct, frozen=True, kw_only=True):
    """What the official API answers for a match that it does not know."""

    match: Annotated[int, Meta(description="Always 0.")] = 0
    games: Annotated[list[str], Meta(description="Always empty.")] = []


class ScoreRow(msgspec.Struct, frozen=True, kw_only=True):
    """The row of a score, without what only the other versions show."""

    id: int
    userid: int
    player_name: str
    score: int
    pp: float
    max_combo: int
    mods: int
    n300: int
    n100: int
    n50: int
    nmiss: int
    ngeki: int
    nkatu: int
    grade: units.Grade
    status: int
    play_time: units.PlayTime
    perfect: int


class PlayerScoreRow(ScoreRow, frozen=True, kw_only=True):
    """The row of a player's score: `beatmap` is the md5, which the beatmap's JSON replaces later."""

    beatmap: str


class CountedBeatmap(Beatmap, frozen=True, kw_only=True):
    """A beatmap, the number of players who have its set among their favourites, and the average of its ratings."""

    favourites: int
    rating: float | None


class BeatmapRating(msgspec.Struct, frozen=True, kw_only=True):
    """The average of the players' ratings of a beatmap."""

    map_md5: str
    average: float


class SetFavourites(msgspec.Struct, frozen=True, kw_only=True):
    """How many players have a beatmap set among their favourites."""

    set_id: int
    total: int


def osu_user(player: PlayerDetails, stats: ModeStats | None) -> OsuUser:
    """Return a player with the statistics of a mode, None for no statistics."""
    user = OsuUser(
        user_id=str(player.id),
        username=player.name,
        join_date=unix_time(player.creation_time),
        country=player.country.upper(),
    )
    if stats is None:
        return user
    return msgspec.structs.replace(
        user,
        playcount=str(stats.plays),
        ranked_score=str(stats.rscore),
        total_score=str(stats.tscore),
        pp_rank=str(stats.rank or 0),
        level=f"{shown_level(stats.tscore):.4f}",
        pp_raw=str(stats.pp),
        accuracy=str(stats.acc),
        count_rank_ss=str(stats.x_count),
        count_rank_ssh=str(stats.xh_count),
        count_rank_s=str(stats.s_count),
        count_rank_sh=str(stats.sh_count),
        count_rank_a=str(stats.a_count),
        total_seconds_played=str(stats.playtime),
        pp_country_rank=str(stats.country_rank or 0),
    )


def best_score(score: PlayerScoreRow, beatmap_id: int, stored: bool, zone: tzinfo | None) -> OsuBestScore:
    """Return a score of a player. `stored`: whether its replay is; `zone`: that of its time."""
    return OsuBestScore(
        beatmap_id=str(beatmap_id),
        score_id=str(score.id),
        pp=str(score.pp),
        replay_available="1" if stored else "0",
        **_result(score, zone),
    )


def recent_score(score: PlayerScoreRow, beatmap_id: int, zone: tzinfo | None) -> OsuRecentScore:
    """Return a score of a player. `zone` is that of its time."""
    score_id = None if score.status == FAILED else str(score.id)
    return OsuRecentScore(beatmap_id=str(beatmap_id), score_id=score_id, **_result(score, zone))


def beatmap_score(score: ScoreRow, stored: bool, zone: tzinfo | None) -> OsuBeatmapScore:
    """Return a score on a beatmap. `stored`: whether its replay is; `zone`: that of its time."""
    return OsuBeatmapScore(
        score_id=str(score.id),
        username=score.player_name,
        pp=str(score.pp),
        replay_available="1" if stored else "0",
        **_result(score, zone),
    )


def _result(score: ScoreRow, zone: tzinfo | None) -> dict[str, str]:
    """Return the fields that the three kinds of scores share."""
    return {
        "score": str(score.score),
        "maxcombo": str(score.max_combo),
        "count50": str(score.n50),
        "count100": str(score.n100),
        "count300": str(score.n300),
        "countmiss": str(score.nmiss),
        "countkatu": str(score.nkatu),
        "countgeki": str(score.ngeki),
        "perfect": str(score.perfect),
        "enabled_mods": str(score.mods),
        "user_id": str(score.userid),
        "date": utc_text(score.play_time, zone) if score.play_time else NO_TIME,
        "rank": "F" if score.status == FAILED else score.grade,
    }


def osu_beatmap(beatmap: Beatmap, favourites: int, rating: float | None) -> OsuBeatmap:
    """Return a beatmap. `favourites` are those of its set; `rating` is None if nobody has rated it."""
    approved = APPROVED.get(beatmap.status, "0")
    last_update = unzoned(beatmap.last_update) if beatmap.last_update else NO_TIME
    return OsuBeatmap(
        beatmapset_id=str(beatmap.set_id),
        beatmap_id=str(beatmap.id),
        approved=approved,
        total_length=str(beatmap.total_length),
        hit_length=str(beatmap.total_length),
        version=beatmap.version,
        file_md5=beatmap.md5,
        diff_size=str(beatmap.cs),
        diff_overall=str(beatmap.od),
        diff_approach=str(beatmap.ar),
        diff_drain=str(beatmap.hp),
        mode=str(beatmap.mode),
        submit_date=last_update,
        approved_date=None if approved == "0" else last_update,
        last_update=last_update,
        artist=beatmap.artist,
        artist_unicode=beatmap.artist,
        title=beatmap.title,
        title_unicode=beatmap.title,
        creator=beatmap.creator,
        bpm=str(beatmap.bpm),
        favourite_count=str(favourites),
        rating="0" if rating is None else str(rating),
        playcount=str(beatmap.plays),
        passcount=str(beatmap.passes),
        max_combo=str(beatmap.max_combo),
        difficultyrating=str(beatmap.diff),
    )


def unix_time(seconds: int) -> str:
    """Return a Unix time as the API writes times."""
    try:
        return unzoned(datetime.fromtimestamp(seconds, UTC))
    except (OverflowError, ValueError, OSError):
        return NO_TIME
