"""Every statement of the service: the name of its file in sql/, and the Struct that each row becomes."""

import re
from collections.abc import Iterator
from typing import TypedDict

import msgspec

from domain import osu_v1, v2
from domain.accounts import Friend, KeyOwner
from domain.achievements import PlayerAchievement
from domain.beatmaps import Beatmap, BeatmapFile, BeatmapKey, PlayedBeatmap, SearchedBeatmap
from domain.clans import ClanDetails, ClanLeaderboardEntry, ClanMember
from domain.players import (
    FoundPlayer,
    KnownPlayer,
    LeaderboardEntry,
    Player,
    PlayerDetails,
    PlayerStats,
    RankedMode,
    RankStep,
)
from domain.pools import Pool, PoolBeatmap
from domain.replays import ReplayScore, ScoreID, ScoreStatus
from domain.scores import (
    BeatmapPlace,
    BeatmapScore,
    FirstPlace,
    MonthlyPlays,
    PinnedScoreRow,
    PlayerScoreRow,
    Score,
    ScoreDetails,
    ServerScoreRow,
)
from storage.database.database import Change, OptionalQuery, PrimaryQuery, Query
from storage.database.replicas import ReplicaStatus
from storage.database.statement import Statement


class Which(TypedDict):
    """Fragments of a statement: which rows it returns, and at most how many."""

    rows: str
    most: str


# The columns by which the leaderboard of a mode, and that of a beatmap, can be sorted.
LEADERBOARDS = ("pp", "tscore", "rscore", "acc", "plays", "playtime")
# Scores on a beatmap come sorted by one of the first two, which decides who is first, or by time.
BOARD_SORTS = ("pp", "score")
BEATMAP_LEADERBOARDS = (*BOARD_SORTS, "play_time")
# What clans can be sorted by, and the column of each.
CLAN_LEADERBOARDS = {"pp": "total_pp", "rscore": "total_rscore", "acc": "avg_acc", "plays": "total_plays"}
# What lists of beatmaps can be sorted by.
BEATMAP_SORTS = ("plays", "passes", "last_update", "diff", "bpm", "total_length")
SCORE_FILTERS = (
    "WHERE (:mods IS NULL OR s.mods = :mods) AND (:status IS NULL OR s.status = :status)"
    " AND (:mode IS NULL OR s.mode = :mode)"
)
# The rows that a statement looks for: one, or those with some ids.
ONE_SCORE: Which = {"rows": "s.id = :id", "most": "1"}
SOME_SCORES: Which = {"rows": "s.id IN (:ids)", "most": "1000"}
ONE_PLAYER: Which = {
    "rows": "u.id = COALESCE(:id, (SELECT MIN(n.id) FROM users n WHERE n.safe_name = :safe_name"
    " AND (n.priv & :visible) = :visible))",
    "most": "1",
}
SOME_PLAYERS: Which = {"rows": "u.id IN (:ids)", "most": "1000"}
ONE_PLAYERS_STATS: Which = {"rows": "s.id = :id", "most": "100"}
SOME_PLAYERS_STATS: Which = {"rows": "s.id IN (:ids)", "most": "10000"}
# Of several rows of statistics that a player has in a mode, the one with the most.
BEST_OF_SEVERAL = (
    "AND NOT EXISTS (SELECT 1 FROM stats q WHERE q.id = p.id AND q.mode = p.mode AND q.{sort} > p.{sort})"
)
# Further filters of a beatmap's leaderboard, in the osu! API v1: exactly these mods, and one player.
BEATMAP_SCORE_FILTERS = (
    "AND (:exact_mods IS NULL OR COALESCE(s.mods, 0) = :exact_mods)"
    " AND (:player_id IS NULL OR s.userid = :player_id)"
)
# A column with the alias of its table.
_COLUMN = re.compile(r"\b(\w+)\.`?(\w+)\b")


class Total(msgspec.Struct, frozen=True):
    total: int


class Least(msgspec.Struct, frozen=True):
    """The value by which a leaderboard is sorted, of one of its players."""

    least: float


class Placed(msgspec.Struct, frozen=True):
    player_id: int


class ClanSums(msgspec.Struct, frozen=True):
    """What a clan can be sorted by in a mode. None of its members may have played."""

    id: int
    pp: int
    rscore: int
    acc: float | None
    plays: int


class NewTotals(msgspec.Struct, frozen=True):
    """How many beatmaps and clans there are, and scores that have not been counted yet."""

    maps: int
    clans: int
    newer_scores: int


class Position(msgspec.Struct, frozen=True):
    """How many players are on a leaderboard down to a player, and how often that player is `listed` there."""

    total: int
    listed: int


class Block(msgspec.Struct, frozen=True):
    """A run of ids: where it begins, the last id that exists in it, and how many rows it has."""

    first: int
    last: int
    total: int


class PlayerID(msgspec.Struct, frozen=True):
    id: int


class HiddenMark(msgspec.Struct, frozen=True):
    """What tells one set of hidden players from another."""

    total: int
    ids: int
    shifted: int


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
player_details = Query("player_details", PlayerDetails, **ONE_PLAYER)
players_details = Query("player_details", PlayerDetails, **SOME_PLAYERS)
player_stats = Query("player_stats", PlayerStats, **ONE_PLAYERS_STATS)
players_stats = Query("player_stats", PlayerStats, **SOME_PLAYERS_STATS)
player_ranks = Query("player_ranks", RankedMode)
rank_steps = Query("rank_steps", RankStep)
player_search = Query("player_search", FoundPlayer)
player_names = Query("player_names", FoundPlayer)
players_named = Query("players_named", PlayerID)
hidden_players = Query("hidden_players", PlayerID)
hidden_players_mark = Query("hidden_players_mark", HiddenMark)
known_players = Query("known_players", KnownPlayer)
player_total = Query("player_total", Total)
player_scores: dict[str, Query[PlayerScoreRow]] = {
    **{scope: Query(f"player_scores_{scope}", PlayerScoreRow) for scope in ("best", "recent")},
    "pinned": Query("player_scores_pinned", PinnedScoreRow),
}
count_player_scores = {
    scope: Query(f"count_player_scores_{scope}", Total) for scope in ("best", "recent", "pinned")
}
player_scores_by_id = Query("player_scores_by_id", PlayerScoreRow)
first_places = {sort: Query("first_places", FirstPlace, sort=sort) for sort in BOARD_SORTS}
player_most_played = Query("player_most_played", PlayedBeatmap)
player_beatmap_scores = {sort: Query("player_beatmap_scores", Score, sort=sort) for sort in BOARD_SORTS}
player_plays = Query("player_plays", MonthlyPlays)
player_achievements = OptionalQuery("player_achievements", PlayerAchievement)
leaderboard = {sort: Query("leaderboard", LeaderboardEntry, sort=sort) for sort in LEADERBOARDS}
leaderboard_order = {sort: Query("leaderboard_order", Placed, sort=sort) for sort in LEADERBOARDS}
leaderboard_least = {sort: Query("leaderboard_least", Least, sort=sort) for sort in LEADERBOARDS}
leaderboard_position = {
    sort: Query("leaderboard_position", Position, sort=sort, counted="*", best="") for sort in LEADERBOARDS
}
# Where players have several rows, the one with the most counts. It takes twice as long.
leaderboard_position_repeated = {
    sort: Query(
        "leaderboard_position",
        Position,
        sort=sort,
        counted="DISTINCT s.id",
        best=BEST_OF_SEVERAL.format(sort=sort),
    )
    for sort in LEADERBOARDS
}
leaderboard_total = {sort: Query("leaderboard_total", Total, sort=sort) for sort in LEADERBOARDS}

key_owner = PrimaryQuery("key_owner", KeyOwner)
friends = Query("friends", Friend)
profile_change = Change("profile_change")

beatmap = Query("beatmap", Beatmap)
beatmap_md5 = Query("beatmap_md5", BeatmapFile)
beatmaps_by_md5 = Query("beatmaps_by_md5", Beatmap)
beatmaps_by_id = Query("beatmaps_by_id", Beatmap)
beatmap_texts = Query("beatmap_texts", SearchedBeatmap)
beatmap_ids = Query("beatmap_ids", BeatmapKey)
set_beatmaps = Query("set_beatmaps", Beatmap)
beatmap_files = Query("beatmap_files", BeatmapFile)
beatmap_scores = {
    sort: Query("beatmap_scores", BeatmapScore, sort=sort, filters="") for sort in BEATMAP_LEADERBOARDS
}
score = Query("score", ScoreDetails, **ONE_SCORE)
some_scores = Query("score", ScoreDetails, **SOME_SCORES)
beatmap_place = {sort: Query("beatmap_place", BeatmapPlace, sort=sort) for sort in BOARD_SORTS}
top_plays = Query("top_plays", ScoreID)
top_plays_by_id = Query("top_plays_by_id", ServerScoreRow)
latest_scores = {
    "all": Query("latest_scores", ServerScoreRow, mode=""),
    "mode": Query("latest_scores", ServerScoreRow, mode="AND s.mode = :mode"),
}
score_newest = Query("score_newest", ScoreID)
score_next = Query("score_next", ScoreID)
score_ids = PrimaryQuery("score_ids", ScoreID)
latest_score_ids = PrimaryQuery("latest_score_ids", ScoreID)
new_scores = PrimaryQuery("score", ScoreDetails, **SOME_SCORES)
new_first_places = {sort: PrimaryQuery("new_first_places", ScoreID, sort=sort) for sort in BOARD_SORTS}
first_place_before = {sort: PrimaryQuery("first_place_before", FoundPlayer, sort=sort) for sort in BOARD_SORTS}
score_statuses = Query("score_statuses", ScoreStatus)
replay_score = Query("replay_score", ReplayScore)

clan = Query("clan", ClanDetails)
clan_members = Query("clan_members", ClanMember)
clan_order = Query("clan_order", ClanSums)
clan_leaderboard = {
    sort: Query("clan_leaderboard", ClanLeaderboardEntry, sort=column)
    for sort, column in CLAN_LEADERBOARDS.items()
}
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
# A replica runs the first one, an older server the second one.
replica_status = {name: Query(f"replica_status{name}", ReplicaStatus) for name in ("", "_old")}
stats_repeated = Query("stats_repeated", RepeatedStats)

# The same statements, with rows in the shapes of the second version.
v2_player_details = Query("player_details", v2.PlayerDetails, **ONE_PLAYER)
v2_player_stats = Query("player_stats", v2.PlayerStats, **ONE_PLAYERS_STATS)
v2_player_search = Query("player_search", v2.FoundPlayer)
v2_player_scores: dict[str, Query[v2.PlayerScoreRow]] = {
    **{scope: Query(f"player_scores_{scope}", v2.PlayerScoreRow) for scope in ("best", "recent")},
    "pinned": Query("player_scores_pinned", v2.PinnedScoreRow),
}
v2_player_scores_by_id = Query("player_scores_by_id", v2.PlayerScoreRow)
v2_player_beatmap_scores = {sort: Query("player_beatmap_scores", v2.Score, sort=sort) for sort in BOARD_SORTS}
v2_player_most_played = Query("player_most_played", v2.PlayedBeatmap)
v2_player_achievements = OptionalQuery("player_achievements", v2.PlayerAchievement)
v2_leaderboard = {sort: Query("leaderboard", v2.LeaderboardEntry, sort=sort) for sort in LEADERBOARDS}
v2_beatmap = Query("beatmap", v2.BeatmapDetails)
v2_beatmaps_by_id = Query("beatmaps_by_id", v2.BeatmapDetails)
v2_beatmap_scores = {
    sort: Query("beatmap_scores", v2.BeatmapScore, sort=sort, filters="") for sort in BEATMAP_LEADERBOARDS
}
v2_score = Query("score", v2.ScoreDetails, **ONE_SCORE)
v2_clan = Query("clan", v2.Clan)
v2_clan_leaderboard = {
    sort: Query("clan_leaderboard", v2.ClanLeaderboardEntry, sort=column)
    for sort, column in CLAN_LEADERBOARDS.items()
}

# Statements of the second version alone.
players = Query("players", v2.PlayerDetails)
count_players = Query("count_players", Total)
beatmaps = Query("beatmaps", v2.BeatmapDetails, order="m.server, m.id")
beatmaps_sorted = {
    (sort, order): Query("beatmaps", v2.BeatmapDetails, order=f"m.{sort} {order.upper()}, m.id {order.upper()}")
    for sort in BEATMAP_SORTS
    for order in ("asc", "desc")
}
count_beatmaps = Query("count_beatmaps", Total)
player_favourites = OptionalQuery("player_favourites", v2.Favourite)
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
server_totals = Query("server_totals", NewTotals)
achievements = OptionalQuery("achievements", v2.Achievement)
count_achievements = OptionalQuery("count_achievements", Total)

# Statements of the osu! API v1 alone.
osu_v1_player_scores = {
    scope: Query(f"player_scores_{scope}", osu_v1.PlayerScoreRow) for scope in ("best", "recent")
}
osu_v1_beatmap_scores = {
    sort: Query("beatmap_scores", osu_v1.ScoreRow, sort=sort, filters=BEATMAP_SCORE_FILTERS)
    for sort in BOARD_SORTS
}
# Old databases have no table of favourites or ratings.
beatmap_counted = OptionalQuery("beatmap_counted", osu_v1.CountedBeatmap)
beatmaps_by_set = Query("beatmaps_by_set", Beatmap)
beatmap_ratings = OptionalQuery("beatmap_ratings", osu_v1.BeatmapRating)
set_favourites = OptionalQuery("set_favourites", osu_v1.SetFavourites)


def readable(table: str, *columns: str) -> Query[Total]:
    """Return a statement that fails unless the service may read these columns."""
    return Query("readable", Total, table=table, columns=", ".join(f"t.`{column}`" for column in columns))


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


def optional_tables() -> set[str]:
    """Return the tables that the game server's database may lack: only optional statements read them."""
    tables: dict[bool, set[str]] = {True: set(), False: set()}
    for _, statement in statements():
        if isinstance(statement, Query):
            tables[statement.optional].update(statement.tables().values())
    return tables[True] - tables[False]


def columns_needed() -> dict[str, set[str]]:
    """Return the columns that must be there, by table."""
    optional = optional_tables()
    return {table: set(columns) for table, columns in columns_read().items() if table not in optional}


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
ping = PrimaryQuery(
    "ping",
    Ping,
    readable=" OR ".join(
        f"EXISTS (SELECT {', '.join(f'`{column}`' for column in sorted(columns))} FROM {table} WHERE 1 = 0)"
        for table, columns in sorted(columns_needed().items())
    ),
)
