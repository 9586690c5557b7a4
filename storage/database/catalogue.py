"""Every statement of the service: the name of its file in sql/, and what a row of it is."""

import msgspec

from domain import v2
from domain.accounts import Friend, KeyOwner, ProfileFields
from domain.beatmaps import Beatmap, BeatmapFile, PlayedBeatmap
from domain.clans import ClanDetails, ClanMember
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
from domain.replays import NewestScore, ReplayScore, ScoreStatus
from domain.scores import BeatmapScore, PlayerScoreRow, ScoreDetails
from storage.database import inspection
from storage.database.database import Change, Query

LEADERBOARDS = ("pp", "tscore", "rscore", "acc", "plays", "playtime")
BOARDS = ("pp", "score", "play_time")
SLACK = {sort: "0.001" if sort == "acc" else "0" for sort in LEADERBOARDS}


class Total(msgspec.Struct, frozen=True):
    """A count."""

    total: int


class Least(msgspec.Struct, frozen=True):
    """What the last of a leaderboard's page has."""

    least: int | float


class Placed(msgspec.Struct, frozen=True):
    """Who has the next place on a leaderboard."""

    player_id: int


class Version(msgspec.Struct, frozen=True):
    """What a database server says it is."""

    version: str


class Block(msgspec.Struct, frozen=True):
    """How many rows there are in a run of ids: where the run begins, and the last id found in it."""

    first: int
    last: int
    total: int


player = Query("player", Player, prepared=True)
player_details = Query("player_details", PlayerDetails, prepared=True)
player_stats = Query("player_stats", PlayerStats, prepared=True)
player_ranks = Query("player_ranks", RankedMode)
player_search = Query("player_search", FoundPlayer)
known_players = Query("known_players", KnownPlayer)
player_total = Query("player_total", Total)
player_scores = {scope: Query(f"player_scores_{scope}", PlayerScoreRow) for scope in ("best", "recent")}
player_most_played = Query("player_most_played", PlayedBeatmap)
leaderboard = {sort: Query("leaderboard", LeaderboardEntry, sort=sort) for sort in LEADERBOARDS}
leaderboard_order = {
    sort: Query("leaderboard_order", Placed, sort=sort, slack=SLACK[sort]) for sort in LEADERBOARDS
}
leaderboard_least = {sort: Query("leaderboard_least", Least, sort=sort) for sort in LEADERBOARDS}

key_owner = Query("key_owner", KeyOwner)
friends = Query("friends", Friend)
profile = Query("profile", ProfileFields)
profile_change = Change("profile_change")

beatmap = Query("beatmap", Beatmap, prepared=True)
beatmaps_by_md5 = Query("beatmaps_by_md5", Beatmap)
beatmap_files = Query("beatmap_files", BeatmapFile)
beatmap_scores = {sort: Query("beatmap_scores", BeatmapScore, sort=sort) for sort in BOARDS}
score = Query("score", ScoreDetails, prepared=True)
score_newest = Query("score_newest", NewestScore)
score_statuses = Query("score_statuses", ScoreStatus)
replay_score = Query("replay_score", ReplayScore)

clan = Query("clan", ClanDetails, prepared=True)
clan_members = Query("clan_members", ClanMember)
pool = Query("pool", Pool)
pool_beatmaps = Query("pool_beatmaps", PoolBeatmap)

server_version = Query("server_version", Version)
server_clock = Query("server_clock", inspection.Clock)
connections_allowed = Query("connections_allowed", inspection.Connections)
schema_columns = Query("schema_columns", inspection.Column)
schema_indexes = Query("schema_indexes", inspection.IndexColumn)
privileges = Query("privileges", inspection.Privilege)
stats_repeated = Query("stats_repeated", inspection.RepeatedStats)

# The same questions, answered in the shapes of the second version.
v2_player_details = Query("player_details", v2.PlayerDetails, prepared=True)
v2_player_stats = Query("player_stats", v2.PlayerStats, prepared=True)
v2_player_search = Query("player_search", v2.FoundPlayer)
v2_player_scores = {scope: Query(f"player_scores_{scope}", v2.PlayerScoreRow) for scope in ("best", "recent")}
v2_player_most_played = Query("player_most_played", v2.PlayedBeatmap)
v2_leaderboard = {sort: Query("leaderboard", v2.LeaderboardEntry, sort=sort) for sort in LEADERBOARDS}
v2_beatmap = Query("beatmap", v2.BeatmapDetails, prepared=True)
v2_beatmap_scores = {sort: Query("beatmap_scores", v2.BeatmapScore, sort=sort) for sort in BOARDS}
v2_score = Query("score", v2.ScoreDetails, prepared=True)
v2_clan = Query("clan", v2.Clan, prepared=True)

# The questions that only the second version answers.
players = Query("players", v2.PlayerDetails)
count_players = Query("count_players", Total)
beatmaps = Query("beatmaps", v2.BeatmapDetails)
count_beatmaps = Query("count_beatmaps", Total)
beatmap_rating = Query("beatmap_rating", v2.Rating)
scores = Query("scores", v2.Score)
count_scores = Query("count_scores", Total)
score_blocks = Query("score_blocks", Block)
hidden_score_blocks = Query("hidden_score_blocks", Block)
clans = Query("clans", v2.Clan)
count_clans = Query("count_clans", Total)
