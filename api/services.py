"""What the handlers use."""

import msgspec

from api.dependencies import Dependencies
from config.settings import Settings
from domain.live import Live
from replays.store import ReplayStore
from storage.api_keys import APIKeys
from storage.cache.beatmap_search import BeatmapSearch
from storage.cache.beatmaps import BeatmapCache
from storage.cache.change_marker import ChangeMarker
from storage.cache.clans import ClanOrder
from storage.cache.first_places import FirstPlaces
from storage.cache.fork_columns import ForkColumns
from storage.cache.leaderboards import LeaderboardOrder
from storage.cache.pagination import Pagination
from storage.cache.player_names import PlayerNames
from storage.cache.stored_replays import StoredReplays
from storage.cache.top_plays import TopPlays
from storage.cache.totals import ServerTotals
from storage.database.database import Database
from storage.deadlines import Deadlines
from storage.events.hub import Hub
from storage.files.avatars import Avatars
from storage.files.beatmap_files import BeatmapFiles
from storage.game_server.client import GameServerClient
from storage.game_server.proxy import GameServerProxy
from storage.pp.engine import PPEngine
from storage.ranks import Ranks
from storage.rate_limit import RateLimiter


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a handler uses, opened once at start by api/startup.py."""

    settings: Settings
    database: Database
    ranks: Ranks
    live: Live
    events: Hub
    beatmaps: BeatmapCache
    beatmap_search: BeatmapSearch
    player_names: PlayerNames
    pagination: Pagination
    server_totals: ServerTotals
    leaderboard_order: LeaderboardOrder
    first_places: FirstPlaces
    top_plays: TopPlays
    fork_columns: ForkColumns
    clan_order: ClanOrder
    game_server: GameServerClient | None
    game_server_proxy: GameServerProxy | None
    replays: ReplayStore
    stored_replays: StoredReplays
    api_keys: APIKeys
    rate_limiter: RateLimiter | None
    beatmap_files: BeatmapFiles
    pp_engine: PPEngine
    avatars: Avatars
    change_marker: ChangeMarker
    dependencies: Dependencies
    deadlines: Deadlines
