"""Every statement of the service: the name of its file in sql/, and the Struct that each row becomes."""

import re
from collections.abc import Iterator

import msgspec

from domain import v2
from domain.accounts import Friend, KeyOwner
from domain.beatmaps import Beatmap, BeatmapFile, PlayedBeatmap
from domain.clans import ClanDetails, ClanMember
from domain.osu_v1 import BeatmapRating, CountedBeatmap, SetFavourites
from domain.players import (
    FoundPlayer,
    KnownPlayer,
    LeaderboardEntry,
    Player,
    PlayerDetails,
    PlayerStats,
    RankedMode,
)
from domain.pools import Pool, PoolBeatmap
from domain.replays import ReplayScore, ScoreID, ScoreStatus
from domain.scores import BeatmapScore, PlayerScoreRow, ScoreDetails
from storage.database.database import Change, Query
from storage.database.statement import Statement

# The columns by which the leaderboard of a mode, and that of a beatmap, can be sorted.
LEADERBOARDS = ("pp", "tscore", "rscore", "acc", "plays", "playtime")
BEATMAP_LEADERBOARDS = ("pp", "score", "play_time")
SCORE_FILTERS = (
    "WHERE (:mods IS NULL OR s.mods = :mods) AND (:status IS NULL OR s.status = :status)"
    " AND (:mode IS NULL OR s.mode = :mode)"
)
# Further filters of a beatmap's leaderboard, in the osu! API v1: exactly these mods, and one player.
BEATMAP_SCORE_FILTERS = (
    "AND (:exact_mods IS NULL OR COALESCE(s.mods, 0) = :exact_mods)"
    " AND (:player_id IS NULL OR s.userid = :player_id)"
)
# A column with the alias of its table.
_COLUMN = re.compile(r"\b(\w+)\.(\w+)\b")


class Total(msgspec.Struct, frozen=True):
    total: int


class Least(msgspec.Struct, frozen=True):
    """The value by which a leaderboard is sorted, of one of its players."""

    least: float


class Placed(msgspec.Struct, frozen=True):
    player_id: int


class Block(msgspec.Struct, frozen=True):
    """A run of ids: where it begins, the last id that exists in it, and how many rows it has."""

    first: int
    last: int
    total: int


class Version(msgspec.Struct, frozen=True):
    version: str


class Ping(msgspec.Struct, frozen=True):
    """What a server answers that has the game server's tables."""

    version: str
    has_rows: int


class Clock(msgspec.Struct, frozen=True):
    """Unix time, and how many seconds the server's time zone is ahead of UTC, None if the server does not know."""

    now: int
    zone: int | None


class Connections(msgspec.Struct, frozen=True):
    """How many connections a server allows in all, and to one user; 0 is any number."""

    in_all: int
    for_user: int

    def too_few(self, workers: int, pool_max: int) -> str | None:
        """Return what is wrong if all workers' pools together may open more than that, None if not."""
        allowed = min((limit for limit in (self.in_all, self.for_user) if limit), default=0)
        if not allowed or workers * pool_max <= allowed:
            return None
        return f"{workers} × {pool_max} (API_WORKERS × DB_POOL_MAX) may be opened, {allowed} are allowed"


class Column(msgspec.Struct, frozen=True):
    """A column of a table, its type as the server writes it, and the collation of a text."""

    table_name: str
    column_name: str
    column_type: str
    nullable: bool
    collation: str | None


class IndexColumn(msgspec.Struct, frozen=True):
    """A column of an index; the name is None if the index is on an expression."""

    table_name: str
    index_name: str
    column_name: str | None
    is_unique: bool
    is_descending: bool


class TableRows(msgspec.Struct, frozen=True):
    """How many rows a table has, about."""

    table_name: str
    total: int


class ActivePlayer(msgspec.Struct, frozen=True):
    id: int
    mode: int


class MostPlayed(msgspec.Struct, frozen=True):
    md5: str
    mode: int


class Privilege(msgspec.Struct, frozen=True):
    """A privilege of the user that the service logs in as, such as SELECT."""

    privilege: str


class RepeatedStats(msgspec.Struct, frozen=True):
    """A player with more than one row of statistics in a mode."""

    id: int
    mode: int


player = Query("player", Player)
player_details = Query("player_details", PlayerDetails)
player_stats = Query("player_stats", PlayerStats)
player_ranks = Query("player_ranks", RankedMode)
player_search = Query("player_search", FoundPlayer)
known_players = Query("known_players", KnownPlayer)
player_total = Query("player_total", Total)
player_scores = {scope: Query(f"player_scores_{scope}", PlayerScoreRow) for scope in ("best", "recent")}
player_most_played = Query("player_most_played", PlayedBeatmap)
leaderboard = {sort: Query("leaderboard", LeaderboardEntry, sort=sort) for sort in LEADERBOARDS}
leaderboard_order = {sort: Query("leaderboard_order", Placed, sort=sort) for sort in LEADERBOARDS}
leaderboard_least = {sort: Query("leaderboard_least", Least, sort=sort) for sort in LEADERBOARDS}

key_owner = Query("key_owner", KeyOwner)
friends = Query("friends", Friend)
profile_change = Change("profile_change")

beatmap = Query("beatmap", Beatmap)
beatmaps_by_md5 = Query("beatmaps_by_md5", Beatmap)
beatmap_files = Query("beatmap_files", BeatmapFile)
beatmap_scores = {
    sort: Query("beatmap_scores", BeatmapScore, sort=sort, filters="") for sort in BEATMAP_LEADERBOARDS
}
score = Query("score", ScoreDetails)
score_newest = Query("score_newest", ScoreID)
score_next = Query("score_next", ScoreID)
score_statuses = Query("score_statuses", ScoreStatus)
replay_score = Query("replay_score", ReplayScore)

clan = Query("clan", ClanDetails)
clan_members = Query("clan_members", ClanMember)
pool = Query("pool", Pool)
pool_beatmaps = Query("pool_beatmaps", PoolBeatmap)

server_version = Query("server_version", Version)
server_clock = Query("server_clock", Clock)
connections_allowed = Query("connections_allowed", Connections)
schema_columns = Query("schema_columns", Column)
schema_indexes = Query("schema_indexes", IndexColumn)
table_rows = Query("table_rows", TableRows)
most_active_player = Query("most_active_player", ActivePlayer)
most_played_beatmap = Query("most_played_beatmap", MostPlayed)
privileges = Query("privileges", Privilege)
stats_repeated = Query("stats_repeated", RepeatedStats)

# The same statements, with rows in the shapes of the second version.
v2_player_details = Query("player_details", v2.PlayerDetails)
v2_player_stats = Query("player_stats", v2.PlayerStats)
v2_player_search = Query("player_search", v2.FoundPlayer)
v2_player_scores = {scope: Query(f"player_scores_{scope}", v2.PlayerScoreRow) for scope in ("best", "recent")}
v2_player_most_played = Query("player_most_played", v2.PlayedBeatmap)
v2_leaderboard = {sort: Query("leaderboard", v2.LeaderboardEntry, sort=sort) for sort in LEADERBOARDS}
v2_beatmap = Query("beatmap", v2.BeatmapDetails)
v2_beatmap_scores = {
    sort: Query("beatmap_scores", v2.BeatmapScore, sort=sort, filters="") for sort in BEATMAP_LEADERBOARDS
}
v2_score = Query("score", v2.ScoreDetails)
v2_clan = Query("clan", v2.Clan)

# Statements of the second version alone.
players = Query("players", v2.PlayerDetails)
count_players = Query("count_players", Total)
beatmaps = Query("beatmaps", v2.BeatmapDetails)
count_beatmaps = Query("count_beatmaps", Total)
beatmap_rating = Query("beatmap_rating", v2.Rating)
scores = Query("scores", v2.Score)
count_scores = Query("count_scores", Total)
score_blocks = Query("score_blocks", Block)
hidden_score_blocks = {
    "all": Query("hidden_score_blocks", Block, filters=""),
    "filtered": Query("hidden_score_blocks", Block, filters=SCORE_FILTERS),
}
clans = Query("clans", v2.Clan)
count_clans = Query("count_clans", Total)

# Statements of the osu! API v1 alone.
osu_v1_beatmap_scores = {
    sort: Query("beatmap_scores", BeatmapScore, sort=sort, filters=BEATMAP_SCORE_FILTERS)
    for sort in ("pp", "score")
}
beatmap_counted = Query("beatmap_counted", CountedBeatmap)
beatmaps_by_set = Query("beatmaps_by_set", Beatmap)
beatmap_ratings = Query("beatmap_ratings", BeatmapRating)
set_favourites = Query("set_favourites", SetFavourites)


def readable(table: str, *columns: str) -> Query[Total]:
    """Return a statement that fails unless the service may read these columns."""
    return Query("readable", Total, table=table, columns=", ".join(f"t.{column}" for column in columns))


def comparable(table: str, column: str, other_table: str, other_column: str) -> Query[Total]:
    """Return a statement that fails unless the database can compare two columns."""
    return Query(
        "comparable", Total, table=table, column=column, other_table=other_table, other_column=other_column
    )


def repeated(table: str, columns: tuple[str, ...]) -> Query[Total]:
    """Return a statement that counts the values that several rows have in these columns."""
    return Query("repeated", Total, table=table, first=columns[0], columns=", ".join(columns))


def statements() -> Iterator[tuple[str, Statement]]:
    """Yield every statement above, with its name here: `clan`, or `leaderboard pp` of a group."""
    for name, value in list(globals().items()):
        if isinstance(value, Statement):
            yield name, value
        elif isinstance(value, dict) and not name.startswith("__"):
            yield from ((f"{name} {key}", each) for key, each in value.items() if isinstance(each, Statement))


def columns_read() -> dict[str, dict[str, set[str]]]:
    """Return the names of the statements that read a column, by table and column."""
    read: dict[str, dict[str, set[str]]] = {}
    for _, statement in statements():
        sources = statement.tables() if isinstance(statement, Query) else {}
        for alias, column in _COLUMN.findall(statement.mysql):
            if alias in sources:
                read.setdefault(sources[alias], {}).setdefault(column, set()).add(statement.name)
    return read


# One statement for all tables. Its columns have no alias, so it does not count itself among those that read them.
ping = Query(
    "ping",
    Ping,
    readable=" OR ".join(
        f"EXISTS (SELECT {', '.join(f'`{column}`' for column in sorted(columns))} FROM {table} WHERE 1 = 0)"
        for table, columns in sorted(columns_read().items())
    ),
)
