"""What is asked of the service: every route that reads, with the ids it is asked about."""

from collections.abc import Iterator
from random import Random
from urllib.parse import quote

import msgspec

from bench.ids import Ids, Some

# The routes of api/routes.py that are not measured, and why.
NOT_MEASURED = {
    "/v1/calculate_pp": "takes an API key, and what it costs is the engine, in processes of its own",
    "/v1/calculate_pp_batch": "the same",
    "/v1/get_friends": "takes an API key, and is never kept for another player",
    "/v1/set_player_info": "a write",
    "/v1/set_avatar": "a write",
}
DEEP = 10_000
PAGE = 100


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question: its name in the report, and paths to ask; answers to those `alike` are as long in any world."""

    name: str
    heavy: list[str]
    typical: list[str]
    alike: list[str]
    key: bool = False  # asked when there is little time too
    rows: str = ""  # "one": answers from a single row; "list": from 25 to 100; "profile": from all about a player
    json: bool = True
    cached: bool = True

    @property
    def paths(self) -> list[str]:
        """All of them, the heavy ones in between, in the same order every time."""
        paths = [*self.heavy, *self.typical]
        Random(self.name).shuffle(paths)
        return paths

    @property
    def few(self) -> list[str]:
        """A small set that is asked again and again."""
        return [*self.heavy[:2], *self.typical][:8]


def questions(ids: Ids, scores: int) -> list[Question]:
    """Every question, about a world with so many scores."""
    return [*_v1_players(ids), *_v1_others(ids), *_v2(ids), *_v2_lists(ids, scores)]


def _about(
    name: str, path: str, some: Some, *, key: bool = False, rows: str = "", json: bool = True, cached: bool = True
) -> Question:
    """A question about each of some: `{}` in the path stands for it."""
    return Question(
        name=name,
        heavy=[path.format(quote(each)) for each in some.heavy],
        typical=[path.format(quote(each)) for each in some.typical],
        alike=[path.format(quote(each)) for each in some.alike],
        key=key,
        rows=rows,
        json=json,
        cached=cached,
    )


def _these(*values: object) -> Some:
    return Some([], [str(value) for value in values])


NOTHING = Some([], [""])


def _v1_players(ids: Ids) -> Iterator[Question]:
    players = ids.players
    yield _about("get_player_info all", "/v1/get_player_info?scope=all&id={}", players, key=True, rows="profile")
    yield _about("get_player_info info", "/v1/get_player_info?scope=info&id={}", players)
    yield _about("get_player_info stats", "/v1/get_player_info?scope=stats&id={}", players)
    yield _about("get_player_info name", "/v1/get_player_info?scope=all&name={}", ids.names)
    yield _about("get_player_status", "/v1/get_player_status?id={}", players, key=True)
    scores = "/v1/get_player_scores?id={}"
    yield _about("get_player_scores best", f"{scores}&scope=best&limit=100", players, key=True, rows="list")
    yield _about("get_player_scores recent", f"{scores}&scope=recent&limit=100", players, key=True, rows="list")
    yield _about("get_player_most_played", "/v1/get_player_most_played?id={}&limit=100", players, key=True)
    parts = _these(*(f"{a}{b}" for a in "aeiou" for b in "krnst"))
    yield _about("search_players", "/v1/search_players?q={}", parts, key=True)
    yield _about("get_player_count", "/v1/get_player_count", NOTHING, key=True)
    yield _about("online", "/v1/online", NOTHING)


def _v1_others(ids: Ids) -> Iterator[Question]:
    yield _about("get_map_info", "/v1/get_map_info?id={}", ids.beatmaps, key=True, rows="one")
    yield _about("get_map_info md5", "/v1/get_map_info?md5={}", ids.md5s, rows="one")
    scores = "/v1/get_map_scores?id={}"
    yield _about("get_map_scores best", f"{scores}&scope=best&limit=50", ids.beatmaps, key=True, rows="list")
    yield _about("get_map_scores recent", f"{scores}&scope=recent&limit=50", ids.beatmaps, rows="list")
    yield _about("get_score_info", "/v1/get_score_info?id={}", ids.scores, key=True, rows="one")
    board, places = "/v1/get_leaderboard?limit=50", _these(*range(0, 500, 50))
    yield _about("get_leaderboard pp", board + "&offset={}", places, key=True, rows="list")
    yield _about("get_leaderboard acc", board + "&sort=acc&offset={}", places, rows="list")
    yield _about("get_leaderboard country", board + "&country={}", ids.countries, rows="list")
    deep = board + "&mode={}&offset=" + str(DEEP)
    yield _about(f"get_leaderboard pp from {DEEP}", deep, _these(0))
    yield _about("get_leaderboard small mode", board + "&mode={}", _these(3, 5, 6, 8), rows="list")
    yield _about("get_clan", "/v1/get_clan?id={}", ids.clans)
    yield _about("get_mappool", "/v1/get_mappool?id={}", _these(*range(1, 11)))
    yield _about("get_match", "/v1/get_match?id={}", _these(*range(1, 21)))
    yield _about("get_matches", "/v1/get_matches", NOTHING)
    yield _about("get_replay", "/v1/get_replay?id={}", ids.replays, json=False, cached=False)


def _v2(ids: Ids) -> Iterator[Question]:
    online = _these(*ids.online)
    player, beatmap, score = "/v2/players/{}", "/v2/maps/{}", "/v2/scores/{}"
    yield _about("v2 server/stats", "/v2/server/stats", NOTHING)
    yield _about("v2 player", player, ids.players, rows="one")
    yield _about("v2 player status", f"{player}/status", online)
    yield _about("v2 player stats", f"{player}/stats", ids.players)
    yield _about("v2 player mode", f"{player}/stats/0", ids.players)
    yield _about("v2 player scores", f"{player}/scores?limit=100", ids.players, rows="list")
    yield _about("v2 player most_played", f"{player}/most_played?limit=100", ids.players)
    yield _about("v2 map", beatmap, ids.beatmaps, rows="one")
    yield _about("v2 map rating", f"{beatmap}/rating", ids.beatmaps)
    yield _about("v2 map scores", f"{beatmap}/scores", ids.beatmaps, rows="list")
    yield _about("v2 score", score, ids.scores, rows="one")
    yield _about("v2 replay", f"{score}/replay", ids.replays, json=False, cached=False)
    yield _about("v2 clan", "/v2/clans/{}", ids.clans, rows="one")
    yield _about("v2 leaderboard", "/v2/leaderboards/{}", _these(0, 1, 2, 3, 4, 5, 6, 8), rows="list")


def _v2_lists(ids: Ids, scores: int) -> Iterator[Question]:
    """Pages: the first ones, and of the longest list some deep in it."""
    pages = _these(*range(1, 21))
    for name in ("players", "maps", "clans"):
        yield _about(f"v2 {name}", f"/v2/{name}?page={{}}", pages)
    yield _about("v2 players/search", "/v2/players/search?q={}", _these("ka", "ren", "mi", "tor", "shi"))
    page = f"/v2/scores?page_size={PAGE}&page={{}}"
    third = scores // 3 // PAGE
    yield _about("v2 scores", page, _these(1, 2, 3), key=True)
    yield _about("v2 scores at 1/3", page, _these(third, third + 1, third + 2))
    yield _about("v2 scores at 2/3", page, _these(2 * third, 2 * third + 1, 2 * third + 2), key=True)
    yield _about("v2 scores of a mode at 1/3", page + "&mode=0", _these(third // 2, third // 2 + 1))
    yield _about("v2 scores of a player", "/v2/scores?user_id={}", ids.players)
