"""Every statement of the service: the name of its file in sql/, and what a row of it is."""

import msgspec

from domain.beatmaps import Beatmap, PlayedBeatmap
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
from domain.scores import BeatmapScore, PlayerScore, ScoreDetails
from storage import inspection
from storage.query import Query


class Total(msgspec.Struct, frozen=True):
    """A count."""

    total: int


class Version(msgspec.Struct, frozen=True):
    """What a database server says it is."""

    version: str


player = Query("player", Player)
player_details = Query("player_details", PlayerDetails)
player_stats = Query("player_stats", PlayerStats)
player_ranks = Query("player_ranks", RankedMode)
player_search = Query("player_search", FoundPlayer)
known_players = Query("known_players", KnownPlayer)
player_total = Query("player_total", Total)
player_scores_best = Query("player_scores_best", PlayerScore)
player_scores_recent = Query("player_scores_recent", PlayerScore)
player_most_played = Query("player_most_played", PlayedBeatmap)
leaderboard = {
    sort: Query("leaderboard", LeaderboardEntry, sort=sort)
    for sort in ("pp", "tscore", "rscore", "acc", "plays", "playtime")
}

beatmap = Query("beatmap", Beatmap)
beatmap_scores = {sort: Query("beatmap_scores", BeatmapScore, sort=sort) for sort in ("pp", "score", "play_time")}
score = Query("score", ScoreDetails)
score_newest = Query("score_newest", NewestScore)
score_statuses = Query("score_statuses", ScoreStatus)
replay_score = Query("replay_score", ReplayScore)

clan = Query("clan", ClanDetails)
clan_members = Query("clan_members", ClanMember)
pool = Query("pool", Pool)
pool_beatmaps = Query("pool_beatmaps", PoolBeatmap)

server_version = Query("server_version", Version)
server_clock = Query("server_clock", inspection.Clock)
schema_columns = Query("schema_columns", inspection.Column)
schema_indexes = Query("schema_indexes", inspection.IndexColumn)
privileges = Query("privileges", inspection.Privilege)
stats_repeated = Query("stats_repeated", inspection.RepeatedStats)
