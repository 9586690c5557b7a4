"""The shapes of the osu! API v1, as https://github.com/ppy/osu-api/wiki describes them.

Numbers are texts, times are UTC, and the fields have the order of the official API.
"""

from datetime import UTC, datetime, tzinfo
from typing import Annotated

import msgspec
from msgspec import Meta

from domain import units
from domain.beatmaps import Beatmap
from domain.levels import shown_level
from domain.players import ModeStats, PlayerDetails
from domain.times import unzoned, utc_text

# Stands for a time that the database does not have: clients read times, and null is not one.
NO_TIME = "1970-01-01 00:00:00"
# By `maps.status`: ranked, approved, qualified, loved. All others are pending.
APPROVED = {2: "1", 3: "2", 4: "3", 5: "4"}
FAILED = 0

Number = Annotated[str, Meta(description="a whole number")]
Decimal = Annotated[str, Meta(description="a number")]
Time = Annotated[str, Meta(description="UTC, as YYYY-MM-DD HH:MM:SS")]
Unknown = Annotated[str, Meta(description="always 0: game servers do not store it")]
Flag = Annotated[str, Meta(description="1 or 0")]
Mods = Annotated[str, Meta(description="a bitmask; bits as in the .osr format")]
Grade = Annotated[str, Meta(description="XH, X, SH, S, A, B, C or D; F for a failed score")]
ReplayAvailable = Annotated[str, Meta(description="1 if the replay is stored, else 0")]


class Event(msgspec.Struct, frozen=True):
    """An event of a player. Game servers do not store any."""


class OsuUser(msgspec.Struct, frozen=True, kw_only=True):
    """A player with the statistics of a mode. All of them are 0 for one who has none in the mode."""

    user_id: Number
    username: str
    join_date: Time
    count300: Unknown = "0"
    count100: Unknown = "0"
    count50: Unknown = "0"
    playcount: Number = "0"
    ranked_score: Number = "0"
    total_score: Number = "0"
    pp_rank: Annotated[str, Meta(description="by pp, from 1; 0 for unranked")] = "0"
    level: Annotated[str, Meta(description="with four decimals, the progress to the next level")] = "0"
    pp_raw: Number = "0"
    accuracy: Annotated[str, Meta(description="percent")] = "0"
    count_rank_ss: Number = "0"
    count_rank_ssh: Number = "0"
    count_rank_s: Number = "0"
    count_rank_sh: Number = "0"
    count_rank_a: Number = "0"
    country: Annotated[str, Meta(description="two upper-case letters")]
    total_seconds_played: Annotated[str, Meta(description="seconds")] = "0"
    pp_country_rank: Annotated[str, Meta(description="by pp, from 1; 0 for unranked")] = "0"
    events: Annotated[list[Event], Meta(description="always empty")] = []


class OsuBestScore(msgspec.Struct, frozen=True, kw_only=True):
    """One of a player's best scores."""

    beatmap_id: Number
    score_id: Number
    score: Number
    maxcombo: Number
    count50: Number
    count100: Number
    count300: Number
    countmiss: Number
    countkatu: Number
    countgeki: Number
    perfect: Flag
    enabled_mods: Mods
    user_id: Number
    date: Time
    rank: Grade
    pp: Decimal
    replay_available: ReplayAvailable


class OsuRecentScore(msgspec.Struct, frozen=True, kw_only=True):
    """One of a player's latest scores."""

    beatmap_id: Number
    score: Number
    maxcombo: Number
    count50: Number
    count100: Number
    count300: Number
    countmiss: Number
    countkatu: Number
    countgeki: Number
    perfect: Flag
    enabled_mods: Mods
    user_id: Number
    date: Time
    rank: Grade
    score_id: Annotated[str, Meta(description="null for a failed score")] | None


class OsuBeatmapScore(msgspec.Struct, frozen=True, kw_only=True):
    """A player's best score on a beatmap."""

    score_id: Number
    score: Number
    username: str
    maxcombo: Number
    count50: Number
    count100: Number
    count300: Number
    countmiss: Number
    countkatu: Number
    countgeki: Number
    perfect: Flag
    enabled_mods: Mods
    user_id: Number
    date: Time
    rank: Grade
    pp: Decimal
    replay_available: ReplayAvailable


class OsuBeatmap(msgspec.Struct, frozen=True, kw_only=True):
    """A beatmap."""

    beatmapset_id: Number
    beatmap_id: Number
    approved: Annotated[str, Meta(description="0 pending, 1 ranked, 2 approved, 3 qualified, 4 loved")]
    total_length: Annotated[str, Meta(description="seconds")]
    hit_length: Annotated[str, Meta(description="the same as total_length")]
    version: str
    file_md5: str
    diff_size: Decimal
    diff_overall: Decimal
    diff_approach: Decimal
    diff_drain: Decimal
    mode: Annotated[str, Meta(description="0 osu!, 1 taiko, 2 catch, 3 mania")]
    count_normal: Unknown = "0"
    count_slider: Unknown = "0"
    count_spinner: Unknown = "0"
    submit_date: Annotated[str, Meta(description="the same as last_update")]
    approved_date: Annotated[str, Meta(description="the same as last_update; null if pending")] | None
    last_update: Time
    artist: str
    artist_unicode: Annotated[str, Meta(description="the same as artist")]
    title: str
    title_unicode: Annotated[str, Meta(description="the same as title")]
    creator: str
    creator_id: Unknown = "0"
    bpm: Decimal
    source: Annotated[str, Meta(description="always empty")] = ""
    tags: Annotated[str, Meta(description="always empty")] = ""
    genre_id: Annotated[str, Meta(description="always 1, unspecified")] = "1"
    language_id: Annotated[str, Meta(description="always 1, unspecified")] = "1"
    favourite_count: Annotated[str, Meta(description="of the set; 0 in a list of more than 20 sets")]
    rating: Annotated[str, Meta(description="average of the players' ratings, 0 without any")]
    storyboard: Unknown = "0"
    video: Unknown = "0"
    download_unavailable: Unknown = "0"
    audio_unavailable: Unknown = "0"
    playcount: Number
    passcount: Number
    packs: Annotated[str, Meta(description="always null")] | None = None
    max_combo: Number
    diff_aim: Annotated[str, Meta(description="always null")] | None = None
    diff_speed: Annotated[str, Meta(description="always null")] | None = None
    difficultyrating: Annotated[str, Meta(description="star rating")]


class OsuReplay(msgspec.Struct, frozen=True, kw_only=True):
    """The frames of a replay, compressed with LZMA as the game client uploaded them."""

    content: Annotated[str, Meta(description="the frames in Base64")]
    encoding: Annotated[str, Meta(description="always base64")] = "base64"


class OsuMatch(msgspec.Struct, frozen=True, kw_only=True):
    """What the official API answers for a match that it does not know."""

    match: Annotated[int, Meta(description="always 0")] = 0
    games: Annotated[list[str], Meta(description="always empty")] = []


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
    play_time: units.LocalTime
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
