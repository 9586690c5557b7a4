"""The cases that are measured: every route that reads, with ids in its path or query."""

from collections.abc import Iterator, Set
from random import Random
from urllib.parse import quote

import msgspec

from api.routes import ROUTES
from bench.ids import Ids, Selection
from domain.modes import Mode

# The routes in api/routes.py that are not measured, and why.
NOT_MEASURED = {
    "/v1/calculate_pp": "requires an API key, and its cost is the pp engine, which runs in other processes",
    "/v1/calculate_pp_batch": "the same",
    "/v1/get_friends": "requires an API key, and is never cached for another player",
    "/v1/events": "a stream, which has no end",
    "/v1/set_player_info": "a write",
    "/v1/set_avatar": "a write",
}
DEEP = 10_000
PAGE = 100
BATCH = 50
SETTLE = 3.0


class Case(msgspec.Struct, frozen=True):
    """A case: its name in the report, the path to request, and the ids that replace `{}` in the path."""

    name: str
    path: str
    ids: Selection
    key: bool = False  # measured in the quick run too
    rows: str = ""  # "one": reads a single row; "list": 25 to 100 rows; "profile": everything about a player
    most_ms: float = 0  # how long a single client may wait, heaviest id included; 0: no promise
    json: bool = True
    cached: bool = True
    twin: str = ""  # the case of version 1 or 2 that reads the same, with which its rate is compared
    settle: float = 0  # seconds after the first request, in which the service reads into memory what it searches
    alone: bool = False  # cold, measured with a single client only: of many, most would wait for their turn

    @property
    def heavy(self) -> list[str]:
        return self._paths(self.ids.heavy)

    @property
    def typical(self) -> list[str]:
        return self._paths(self.ids.typical)

    @property
    def same_length(self) -> list[str]:
        """Paths whose responses are equally long in every world."""
        return self._paths(self.ids.same_length)

    @property
    def cold_paths(self) -> list[str]:
        """All paths, shuffled, in the same order in every run."""
        paths = [*self.heavy, *self.typical]
        Random(self.name).shuffle(paths)
        return paths

    @property
    def hot_paths(self) -> list[str]:
        """A few paths, whose responses stay in the cache."""
        return [*self.heavy[:2], *self.typical][:8]

    def _paths(self, ids: list[str]) -> list[str]:
        return [self.path.format(quote(id, safe="&=")) for id in ids]


def cases(ids: Ids, scores: int) -> list[Case]:
    """Return every case, for a world with so many scores.

    A route that has none here and needs no parameters is measured without any.
    """
    listed = [*_v1_players(ids), *_v1_others(ids), *_v2(ids), *_v2_lists(ids, scores), *_osu_v1(ids)]
    measured = {case.path.partition("?")[0] for case in listed}
    return [*listed, *_others(measured | NOT_MEASURED.keys())]


def _values(*values: object) -> Selection:
    return Selection([], [str(value) for value in values])


def batches(ids: Selection, name: str) -> Selection:
    """Return lists of 50 ids each, the heaviest ones first, as values of a parameter that is repeated."""
    every = [*ids.heavy, *ids.typical]
    lists = [every[begin : begin + BATCH] for begin in range(0, max(1, len(every) - BATCH + 1), BATCH)]
    joined = [f"&{name}=".join(some) for some in lists]
    return Selection(joined[:1], joined[1:])


NOTHING = Selection([], [""])


def _v1_players(ids: Ids) -> Iterator[Case]:
    players = ids.players
    yield Case("get_player_info all", "/v1/get_player_info?scope=all&id={}", players, key=True, rows="profile")
    yield Case("get_player_info info", "/v1/get_player_info?scope=info&id={}", players)
    yield Case("get_player_info stats", "/v1/get_player_info?scope=stats&id={}", players)
    yield Case("get_player_info name", "/v1/get_player_info?scope=all&name={}", ids.names)
    yield Case("get_player_status", "/v1/get_player_status?id={}", players, key=True)
    scores = "/v1/get_player_scores?id={}"
    yield Case("get_player_scores best", f"{scores}&scope=best&limit=100", players, key=True, rows="list")
    yield Case("get_player_scores recent", f"{scores}&scope=recent&limit=100", players, key=True, rows="list")
    yield Case("get_player_scores first", f"{scores}&scope=first&limit=100", players, most_ms=80, alone=True)
    yield Case("get_player_scores recent 50", f"{scores}&scope=recent&limit=50", players, key=True, rows="list")
    yield Case("get_player_most_played", "/v1/get_player_most_played?id={}&limit=100", players, key=True)
    yield Case("get_player_plays", "/v1/get_player_plays?id={}", players, most_ms=50)
    yield Case("get_player_achievements", "/v1/get_player_achievements?id={}", players, most_ms=50)
    yield Case("get_players_info", "/v1/get_players_info?id={}", batches(players, "id"), most_ms=50)
    parts = _values(*(f"{a}{b}" for a in "aeiou" for b in "krnst"))
    yield Case("search_players", "/v1/search_players?q={}", parts, key=True, most_ms=10, settle=SETTLE)
    yield Case("get_player_count", "/v1/get_player_count", NOTHING, key=True)
    yield Case("online", "/v1/online", NOTHING)


def _v1_others(ids: Ids) -> Iterator[Case]:
    yield Case("get_map_info", "/v1/get_map_info?id={}", ids.beatmaps, key=True, rows="one")
    yield Case("get_map_info md5", "/v1/get_map_info?md5={}", ids.md5s, rows="one")
    modes = _values(*(mode.value for mode in Mode))
    scores = "/v1/get_map_scores?id={}"
    yield Case("get_map_scores best", f"{scores}&scope=best&limit=50", ids.beatmaps, key=True, rows="list")
    yield Case("get_map_scores recent", f"{scores}&scope=recent&limit=50", ids.beatmaps, rows="list")
    yield Case("get_maps_info", "/v1/get_maps_info?id={}", batches(ids.beatmaps, "id"), most_ms=50)
    yield Case("get_set_info", "/v1/get_set_info?id={}", ids.sets, most_ms=50)
    words = _values(
        "hard", "an", "winter neon", "insane ka", "oni", "velvet", "expert glass", "zan", "78", "qui lum"
    )
    yield Case("search_maps", "/v1/search_maps?q={}", words, key=True, most_ms=10, settle=SETTLE)
    yield Case("get_scores_info", "/v1/get_scores_info?id={}", batches(ids.scores, "id"), most_ms=50)
    player = (ids.players.heavy + ids.players.typical)[0]
    yield Case(
        "get_player_map_scores", f"/v1/get_player_map_scores?id={player}&map_id={{}}", ids.beatmaps, most_ms=50
    )
    yield Case("get_top_plays", "/v1/get_top_plays?limit=100&mode={}", modes, most_ms=50)
    recent = "/v1/get_recent_scores?limit=100"
    yield Case("get_recent_scores", recent, NOTHING, most_ms=50)
    yield Case("get_recent_scores of a mode", recent + "&include_failed=0&mode={}", modes, most_ms=50)
    yield Case("get_score_info", "/v1/get_score_info?id={}", ids.scores, key=True, rows="one")
    leaderboard, offsets = "/v1/get_leaderboard?limit=50", _values(*range(0, 500, 50))
    yield Case("get_leaderboard pp", leaderboard + "&offset={}", offsets, key=True, rows="list")
    yield Case("get_leaderboard acc", leaderboard + "&sort=acc&offset={}", offsets, rows="list")
    yield Case("get_leaderboard country", leaderboard + "&country={}", ids.countries, rows="list")
    deep = leaderboard + "&mode={}&offset=" + str(DEEP)
    yield Case(f"get_leaderboard pp from {DEEP}", deep, _values(0))
    yield Case("get_leaderboard small mode", leaderboard + "&mode={}", _values(3, 5, 6, 8), rows="list")
    yield Case("get_clan", "/v1/get_clan?id={}", ids.clans)
    yield Case("get_clan_leaderboard", "/v1/get_clan_leaderboard?mode={}", modes, most_ms=50)
    yield Case("get_mappool", "/v1/get_mappool?id={}", _values(*range(1, 11)))
    yield Case("get_match", "/v1/get_match?id={}", _values(*range(1, 21)))
    yield Case("get_matches", "/v1/get_matches", NOTHING)
    yield Case("get_replay", "/v1/get_replay?id={}", ids.replays, json=False, cached=False)


def _v2(ids: Ids) -> Iterator[Case]:
    online = _values(*ids.online)
    player, beatmap, score = "/v2/players/{}", "/v2/maps/{}", "/v2/scores/{}"
    yield Case("v2 server/stats", "/v2/server/stats", NOTHING)
    yield Case("v2 player", player, ids.players, rows="one")
    yield Case("v2 player status", f"{player}/status", online)
    yield Case("v2 player stats", f"{player}/stats", ids.players)
    yield Case("v2 player mode", f"{player}/stats/0", ids.players)
    yield Case("v2 player scores", f"{player}/scores?limit=100", ids.players, rows="list")
    first = f"{player}/scores?scope=first&limit=100"
    yield Case("v2 player scores first", first, ids.players, most_ms=80, alone=True)
    heaviest = (ids.players.heavy + ids.players.typical)[0]
    yield Case("v2 player map scores", f"/v2/players/{heaviest}/maps/{{}}/scores", ids.beatmaps, most_ms=50)
    yield Case("v2 player most_played", f"{player}/most_played?limit=100", ids.players)
    yield Case("v2 player achievements", f"{player}/achievements?all=true", ids.players, most_ms=50)
    yield Case("v2 player favourites", f"{player}/favourites", ids.players, most_ms=50, cached=False)
    yield Case("v2 map", beatmap, ids.beatmaps, rows="one")
    yield Case("v2 map rating", f"{beatmap}/rating", ids.beatmaps)
    yield Case("v2 map scores", f"{beatmap}/scores", ids.beatmaps, rows="list")
    yield Case("v2 score", score, ids.scores, rows="one")
    yield Case("v2 replay", f"{score}/replay", ids.replays, json=False, cached=False)
    yield Case("v2 clan", "/v2/clans/{}", ids.clans, rows="one")
    yield Case("v2 leaderboard", "/v2/leaderboards/{}", _values(0, 1, 2, 3, 4, 5, 6, 8), rows="list")


def _v2_lists(ids: Ids, scores: int) -> Iterator[Case]:
    """Yield the cases with pages: the first pages of each list, and deep ones of the longest."""
    pages = _values(*range(1, 21))
    for name in ("players", "maps", "clans"):
        yield Case(f"v2 {name}", f"/v2/{name}?page={{}}", pages)
    yield Case("v2 clans by plays", "/v2/clans?sort=plays&page={}", _values(*range(1, 11)), most_ms=50)
    names = _values("ka", "ren", "mi", "tor", "shi")
    yield Case("v2 players/search", "/v2/players/search?q={}", names, settle=SETTLE)
    found = _values("hard", "an", "winter neon", "oni", "velvet")
    yield Case("v2 maps searched", "/v2/maps?sort=diff&q={}", found, most_ms=10, settle=SETTLE)
    yield Case("v2 maps sorted", "/v2/maps?sort={}", _values("plays", "passes", "diff", "bpm"), most_ms=50)
    page = f"/v2/scores?page_size={PAGE}&page={{}}"
    third = scores // 3 // PAGE
    yield Case("v2 scores", page, _values(1, 2, 3), key=True)
    yield Case("v2 scores at 1/3", page, _values(third, third + 1, third + 2))
    yield Case("v2 scores at 2/3", page, _values(2 * third, 2 * third + 1, 2 * third + 2), key=True)
    yield Case("v2 scores of a mode at 1/3", page + "&mode=0", _values(third // 2, third // 2 + 1))
    yield Case("v2 scores of a player", "/v2/scores?user_id={}", ids.players)


def _osu_v1(ids: Ids) -> Iterator[Case]:
    """Yield the cases of the osu! API v1. They have as many rows as the cases that they are compared with."""
    user = "get_player_info stats"
    yield Case("osu get_user", "/api/get_user?type=id&u={}", ids.players, key=True, twin=user)
    best, recent = "get_player_scores best", "get_player_scores recent 50"
    path = "/api/get_user_best?type=id&limit=100&u={}"
    yield Case("osu get_user_best", path, ids.players, key=True, rows="list", twin=best)
    path = "/api/get_user_recent?type=id&limit=50&u={}"
    yield Case("osu get_user_recent", path, ids.players, key=True, rows="list", twin=recent)
    path = "/api/get_scores?limit=50&b={}"
    yield Case("osu get_scores", path, ids.beatmaps, key=True, rows="list", twin="get_map_scores best")
    # Its response has the average of the ratings too.
    yield Case("osu get_beatmaps", "/api/get_beatmaps?b={}", ids.beatmaps, key=True, twin="v2 map rating")
    yield Case("osu get_beatmaps all", "/api/get_beatmaps?limit={}", _values(500))
    replay = "/api/get_replay?s={}"
    yield Case("osu get_replay", replay, ids.replays, json=False, cached=False, twin="get_replay")
    yield Case("osu get_match", "/api/get_match?mp={}", _values(*range(1, 21)), twin="get_match")


def _others(excluded: Set[str]) -> Iterator[Case]:
    for route, endpoint in ROUTES.items():
        fields = msgspec.structs.fields(endpoint.params)
        if route not in excluded and not any(field.required for field in fields):
            yield Case(route.removeprefix("/"), route, NOTHING)
