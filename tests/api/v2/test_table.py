"""Which statements each endpoint of version 2 runs, and which of them version 1 does not run."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest
from starlette.testclient import TestClient

from api.app import build
from api.routes import V2
from api.services import Services
from config.settings import Settings
from domain.live import Live, LiveStatus
from replays.store import open_store
from storage.cache.beatmap_search import BeatmapSearch
from storage.cache.beatmaps import BeatmapCache
from storage.cache.change_marker import ChangeMarker
from storage.cache.clans import ClanOrder
from storage.cache.first_places import FirstPlaces
from storage.cache.leaderboards import LeaderboardOrder
from storage.cache.pagination import Pagination
from storage.cache.player_names import PlayerNames
from storage.cache.stored_replays import StoredReplays
from storage.cache.totals import ServerTotals
from storage.deadlines import Deadlines
from storage.ranks import Ranks
from tests.api.v2.test_pages import RecordingDatabase
from tests.support import conformance

# Each endpoint, a request to it, and the statements that it runs, in their order.
STATEMENTS = {
    "server/stats": (
        "server/stats",
        ["player_total", "score_next", "score_blocks", "score_next", "server_totals"],
    ),
    "leaderboards/{mode}": ("leaderboards/0", ["leaderboard_least", "leaderboard_order", "leaderboard"]),
    "players": ("players", ["count_players", "players"]),
    "players/search": ("players/search?q=re", ["player_search"]),
    "players/{player_id}": ("players/3", ["player_details"]),
    "players/{player_id}/status": ("players/3/status", ["player", "beatmap"]),
    "players/{player_id}/stats": ("players/3/stats", ["player_details", "player_stats", "player_ranks"]),
    "players/{player_id}/stats/{mode}": ("players/3/stats/0", ["player_details", "player_stats", "player_ranks"]),
    "players/{player_id}/scores": ("players/50/scores", ["player", "player_scores_best", "beatmaps_by_md5"]),
    "players/{player_id}/favourites": ("players/50/favourites", ["player", "player_favourites"]),
    "players/{player_id}/maps/{map_id}/scores": (
        "players/50/maps/78/scores",
        ["player", "beatmap_md5", "player_beatmap_scores", "beatmap_place"],
    ),
    "players/{player_id}/most_played": ("players/50/most_played", ["player", "player_most_played"]),
    "players/{player_id}/achievements": ("players/50/achievements", ["player", "player_achievements"]),
    "maps": ("maps", ["count_beatmaps", "beatmaps"]),
    "maps/{map_id}": ("maps/78", ["beatmap"]),
    "maps/{map_id}/rating": ("maps/78/rating", ["beatmap_md5", "beatmap_rating"]),
    "maps/{map_id}/scores": ("maps/78/scores", ["beatmap_md5", "beatmap_scores"]),
    "scores": ("scores", ["score_next", "score_blocks", "score_next", "hidden_score_blocks", "scores"]),
    "scores/{score_id}": ("scores/1", ["score"]),
    "scores/{score_id}/replay": ("scores/805/replay", ["replay_score"]),
    "clans": ("clans", ["count_clans", "clans"]),
    "clans/{clan_id}": ("clans/1", ["clan"]),
    "achievements": ("achievements", ["count_achievements"]),
}
# It needs the player, the beatmap, the player's scores, and the place of one of them.
FOUR_STATEMENTS = {"players/{player_id}/maps/{map_id}/scores"}
# What version 1 does not have: lists of everything, their lengths, and ratings.
ONLY_V2 = {
    "players",
    "count_players",
    "beatmaps",
    "count_beatmaps",
    "beatmap_rating",
    "beatmap_ids",
    "player_favourites",
    "scores",
    "count_scores",
    "score_next",
    "score_blocks",
    "hidden_score_blocks",
    "clans",
    "count_clans",
    "server_totals",
    "count_achievements",
}
# Other requests to the same endpoints.
MORE = {
    "players/50/scores?scope=recent": ["player", "player_scores_recent", "beatmaps_by_md5"],
    "players/50/scores?scope=first": ["player", "first_places", "player_scores_by_id", "beatmaps_by_md5"],
    "players/Riden8426": ["player_details"],
    "scores?user_id=50": ["count_scores", "scores"],
    "players?page=999": ["count_players"],
    "maps?sort=plays&order=asc": ["count_beatmaps", "beatmaps"],
    # The texts of the recorded beatmaps are three pages.
    "maps?q=an&sort=diff": [*["beatmap_texts"] * 3, "beatmaps_by_id"],
    "maps?q=an&artist=a": ["beatmap_ids", *["beatmap_texts"] * 3],
    "players/9/stats": ["player_details"],
    "clans?sort=pp": ["clan_order", "clan_leaderboard"],
}
OF_V1 = (
    "search_players?q=re",
    "get_player_count",
    "get_player_info?scope=all&id=3",
    "get_player_status?id=3",
    "get_player_scores?scope=best&id=50",
    "get_player_scores?scope=recent&id=50",
    "get_player_scores?scope=first&id=50",
    "get_player_map_scores?id=50&map_id=78",
    "get_player_most_played?id=50",
    "get_map_info?id=78",
    "search_maps?q=an",
    "get_maps_info?id=78",
    "get_map_scores?scope=best&id=78",
    "get_score_info?id=1",
    "get_replay?id=805",
    "get_leaderboard",
    "get_clan?id=1",
    "get_clan_leaderboard",
    "get_player_achievements?id=50",
    "get_mappool?id=1",
    "online",
    "get_matches",
)


class Playing(Live):
    """A Live in which everybody is playing."""

    async def status(self, player_id: int) -> LiveStatus | None:
        md5 = "53ddce7b66652d1849af8d9171a00b25" if player_id == 3 else "f" * 32 if player_id == 4 else ""
        return LiveStatus(login_time=1.75, action=2, info_text=" a song ", mode=4, mods=72, map_md5=md5)


class InProcess(NamedTuple):
    """A service in this process, and its database."""

    client: TestClient
    database: RecordingDatabase

    def statements(self, path: str) -> list[str]:
        """Return the statements that a request runs, which must succeed."""
        self.database.statements.clear()
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.text)
        return list(self.database.statements)


@pytest.fixture
def service(recorded_sqlite: str) -> Iterator[InProcess]:
    """A service on the recorded world, in which everybody is playing."""
    database = RecordingDatabase(recorded_sqlite)

    @asynccontextmanager
    async def open_services(settings: Settings) -> AsyncIterator[Services]:
        await database.connect()
        pages, search = Pagination(database), BeatmapSearch(database)
        boards = LeaderboardOrder(database, visible=settings.visible_on_boards)
        places = FirstPlaces(database, visible=settings.visible_on_boards, wait=1)
        clans = ClanOrder(database, visible=settings.visible_on_boards)
        totals = ServerTotals(database)
        try:
            needed = {
                "settings": settings,
                "database": database,
                "ranks": Ranks(database),
                "live": Playing(),
                "beatmaps": BeatmapCache(database),
                "beatmap_search": search,
                "player_names": PlayerNames(database),
                "pagination": pages,
                "server_totals": totals,
                "leaderboard_order": boards,
                "first_places": places,
                "clan_order": clans,
                "replays": open_store(settings),
                "stored_replays": StoredReplays(open_store(settings).stored),
                "change_marker": ChangeMarker(),
                "deadlines": Deadlines(),
            }
            others: Any = dict.fromkeys(Services.__struct_fields__)
            yield Services(**(others | needed))
        finally:
            await search.close()
            await places.close()
            await totals.close()
            await clans.close()
            await boards.close()
            await pages.close()
            await database.disconnect()

    settings = Settings(data_directory=str(conformance.WORLD), cache=False)
    with TestClient(build(settings, open_services)) as client:
        yield InProcess(client, database)


def test_every_endpoint_is_here() -> None:
    missing, gone = set(V2) - set(STATEMENTS), set(STATEMENTS) - set(V2)
    assert not missing, (
        f"add {sorted(missing)} to STATEMENTS in tests/api/v2/test_table.py, with a request and its statements"
    )
    assert not gone, f"these are not in api/routes.py: {sorted(gone)}"


@pytest.mark.parametrize("name", STATEMENTS)
def test_statements_of_an_endpoint(service: InProcess, name: str) -> None:
    path, expected = STATEMENTS[name]
    assert service.statements(f"/v2/{path}") == expected
    # These two look up one id.
    most = 4 if name in FOUR_STATEMENTS else 3
    assert len([name for name in expected if name not in ("score_next", "score_newest")]) <= most


@pytest.mark.parametrize("path", MORE)
def test_statements_of_other_requests(service: InProcess, path: str) -> None:
    assert service.statements(f"/v2/{path}") == MORE[path]


def test_nothing_is_counted_a_second_time(service: InProcess) -> None:
    for name in ("players", "maps", "scores", "clans", "leaderboards/0"):
        statements = service.statements(f"/v2/{name}")
        assert service.statements(f"/v2/{name}?page_size=7") == statements[-1:]


def test_statements_are_shared_with_version_1(service: InProcess) -> None:
    v1 = {statement for path in OF_V1 for statement in service.statements(f"/v1/{path}")}
    v2 = {statement for _, statements in STATEMENTS.values() for statement in statements}
    v2 |= {statement for statements in MORE.values() for statement in statements}
    assert v2 - v1 == ONLY_V2


def test_the_status_of_an_online_player(service: InProcess) -> None:
    common = {"login_time": 1, "action": 2, "info_text": "a song", "mode": 4, "mods": 72}
    for id, beatmap in ((3, 78), (4, 0), (50, 0)):
        answer = service.client.get(f"/v2/players/{id}/status").json()
        assert answer == {"status": "success", "data": common | {"beatmap_id": beatmap}, "meta": {}}
    assert service.client.get("/v2/players/18/status").status_code == 404
