"""Every URL of the service and its handler."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route, compile_path
from starlette.types import Receive, Scope, Send

from api import health
from api.additions import Additions, LearnedAdditions, additions_of
from api.endpoint import WRITES, Endpoint
from api.middleware.passthrough import Passthrough
from api.observability.metrics_route import MetricsPage
from api.openapi.document import OpenAPIDocument
from api.osu_v1 import beatmaps as osu_beatmaps
from api.osu_v1 import matches as osu_matches
from api.osu_v1 import players as osu_players
from api.osu_v1 import replays as osu_replays
from api.osu_v1 import scores as osu_scores
from api.osu_v1.endpoint import OsuEndpoint
from api.request.osu_v1 import V1_PREFIXES, endpoint_of, name_in
from api.request.params import Unserved
from api.response.errors import OSU_V1 as OSU_V1_PREFIX
from api.response.errors import V2_PREFIXES
from api.services import Services
from api.site.pages import Asset, StartPage, pages
from api.v1 import (
    accounts,
    achievements,
    beatmaps,
    clans,
    events,
    feeds,
    leaderboards,
    matches,
    performance,
    players,
    pools,
    replays,
    scores,
    socket,
)
from api.v2 import achievements as v2_achievements
from api.v2 import beatmaps as v2_beatmaps
from api.v2 import clans as v2_clans
from api.v2 import leaderboards as v2_leaderboards
from api.v2 import players as v2_players
from api.v2 import replays as v2_replays
from api.v2 import scores as v2_scores
from api.v2 import server as v2_server
from api.websocket import PATHS
from config.settings import Settings
from config.types import comma_separated
from storage.game_server.description import Declared

# Only some forks have the column that says which scores are pinned.
PINNED = [("scope", "pinned")]
# The cookie with which the game server's own web client is logged in.
SESSION_COOKIE = b"bancho_session"

V1 = {
    "search_players": Endpoint(players.search_players, seconds=5),
    "get_player_count": Endpoint(players.get_player_count, seconds=2),
    "online": Endpoint(players.online, seconds=1),
    "get_player_info": Endpoint(players.get_player_info, seconds=2, editable=True),
    "get_players_info": Endpoint(players.get_players_info, seconds=2, editable=True, yields=True),
    "get_player_status": Endpoint(players.get_player_status, seconds=2),
    "get_player_scores": Endpoint(
        scores.get_player_scores, seconds=3, yields_params=("with_replay", "with_weight"), may_lack=PINNED
    ),
    "get_player_most_played": Endpoint(scores.get_player_most_played, seconds=5),
    "get_player_plays": Endpoint(scores.get_player_plays, seconds=5, yields=True),
    "get_player_achievements": Endpoint(achievements.get_player_achievements, seconds=5, yields=True),
    "get_player_map_scores": Endpoint(scores.get_player_map_scores, seconds=3, yields=True),
    "get_top_plays": Endpoint(feeds.get_top_plays, seconds=5, yields=True),
    "get_recent_scores": Endpoint(feeds.get_recent_scores, seconds=2, yields=True),
    "get_map_info": Endpoint(beatmaps.get_map_info, seconds=5),
    "search_maps": Endpoint(beatmaps.search_maps, seconds=5, yields=True),
    "get_maps_info": Endpoint(beatmaps.get_maps_info, seconds=5, yields=True),
    "get_set_info": Endpoint(beatmaps.get_set_info, seconds=5, yields=True),
    "get_map_scores": Endpoint(scores.get_map_scores, seconds=3, yields_params=("with_replay",)),
    "get_score_info": Endpoint(scores.get_score_info, seconds=5),
    "get_scores_info": Endpoint(scores.get_scores_info, seconds=5, yields=True),
    "get_replay": Endpoint(replays.get_replay),
    "get_leaderboard": Endpoint(leaderboards.get_leaderboard, seconds=5, yields_params=("around",)),
    "get_clan": Endpoint(clans.get_clan, seconds=5),
    "get_clan_leaderboard": Endpoint(clans.get_clan_leaderboard, seconds=5, yields=True),
    "get_mappool": Endpoint(pools.get_mappool, seconds=5),
    "get_match": Endpoint(matches.get_match, seconds=1),
    "get_matches": Endpoint(matches.get_matches, seconds=1),
    "events": Endpoint(events.events),
    "calculate_pp": Endpoint(performance.calculate_pp),
    "calculate_pp_batch": Endpoint(performance.calculate_pp_batch),
    "get_friends": Endpoint(accounts.get_friends),
    "set_player_info": Endpoint(accounts.set_player_info, WRITES),
    "set_avatar": Endpoint(accounts.set_avatar, WRITES),
}

# A segment in braces is the parameter of that name.
V2 = {
    "server/stats": Endpoint(v2_server.get_stats, seconds=2),
    "leaderboards/{mode}": Endpoint(v2_leaderboards.get_leaderboard, seconds=5),
    "players": Endpoint(v2_players.get_players, seconds=5, editable=True, yields_params=("after",)),
    "players/search": Endpoint(v2_players.search_players, seconds=5),
    "players/{player_id}": Endpoint(v2_players.get_player, seconds=2, editable=True),
    "players/{player_id}/status": Endpoint(v2_players.get_player_status, seconds=2),
    "players/{player_id}/stats": Endpoint(v2_players.get_player_stats, seconds=2),
    "players/{player_id}/stats/{mode}": Endpoint(v2_players.get_player_mode_stats, seconds=2),
    "players/{player_id}/favourites": Endpoint(v2_players.get_player_favourites, passes_sessions=True),
    "players/{player_id}/scores": Endpoint(
        v2_scores.get_player_scores,
        seconds=3,
        yields_params=("mods", "offset", "with_replay", "with_weight"),
        may_lack=PINNED,
    ),
    "players/{player_id}/maps/{map_id}/scores": Endpoint(v2_scores.get_player_map_scores, seconds=3, yields=True),
    "players/{player_id}/most_played": Endpoint(v2_scores.get_player_most_played, seconds=5),
    "players/{player_id}/achievements": Endpoint(v2_achievements.get_player_achievements, seconds=5, yields=True),
    "maps": Endpoint(v2_beatmaps.get_maps, seconds=5, yields_params=("q", "sort", "order")),
    "maps/{map_id}": Endpoint(v2_beatmaps.get_map, seconds=5),
    "maps/{map_id}/rating": Endpoint(v2_beatmaps.get_map_rating, seconds=5),
    "maps/{map_id}/scores": Endpoint(v2_scores.get_map_scores, seconds=3, yields_params=("with_replay",)),
    "scores": Endpoint(v2_scores.get_scores, seconds=5, yields_params=("after",)),
    "scores/{score_id}": Endpoint(v2_scores.get_score, seconds=5),
    "scores/{score_id}/replay": Endpoint(v2_replays.get_replay),
    "clans": Endpoint(v2_clans.get_clans, seconds=5, yields_params=("sort", "mode")),
    "clans/{clan_id}": Endpoint(v2_clans.get_clan, seconds=5),
    "achievements": Endpoint(v2_achievements.get_achievements, seconds=5, yields=True),
}

# The names of the official API. Which of its endpoints a request is for, api/request/osu_v1.py decides.
OSU_V1 = {
    "get_user": OsuEndpoint(osu_players.get_user, seconds=2),
    "get_user_best": OsuEndpoint(osu_scores.get_user_best, seconds=3),
    "get_user_recent": OsuEndpoint(osu_scores.get_user_recent, seconds=3),
    "get_scores": OsuEndpoint(osu_scores.get_scores, seconds=3),
    "get_beatmaps": OsuEndpoint(osu_beatmaps.get_beatmaps, seconds=5),
    "get_replay": OsuEndpoint(osu_replays.get_replay),
    "get_match": OsuEndpoint(osu_matches.get_match, seconds=5),
}

HEALTH = {
    "/health/live": Endpoint(health.live),
    "/health/ready": Endpoint(health.ready),
}

# The endpoints of the API by the names that they have in the log and in metrics.
ROUTES = {"/v1/" + name: endpoint for name, endpoint in V1.items()}
ROUTES |= {"/v2/" + name: endpoint for name, endpoint in V2.items()}
OSU_V1_ROUTES = {OSU_V1_PREFIX + name: endpoint for name, endpoint in OSU_V1.items()}
ROUTES |= OSU_V1_ROUTES
for route, endpoint in (ROUTES | HEALTH).items():
    endpoint.route = route


Served = Endpoint | Asset | socket.ScoreSocket


class RouteTable(BaseRoute):
    """Routes by path, with or without a trailing slash: fixed paths by dictionary lookup, others by pattern.

    With `pass_writes`, methods that an endpoint does not accept are passed to the game server, if there is one.
    """

    def __init__(self, paths: Mapping[str, Served], *, pass_writes: bool = False) -> None:
        self._pass_writes = pass_writes
        self._fixed = {path: endpoint for path, endpoint in paths.items() if "{" not in path}
        self._patterns = [(compile_path(path)[0], paths[path]) for path in paths if "{" in path]

    def find(self, path: str) -> tuple[Served, dict[str, str]] | None:
        """Return what serves a path, and the parameters in the path."""
        endpoint = self._fixed.get(path) or self._fixed.get(path.removesuffix("/"))
        if endpoint:
            return endpoint, {}
        for pattern, endpoint in self._patterns:
            if match := pattern.match(path.removesuffix("/")):
                return endpoint, match.groupdict()
        return None

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if found := self.find(scope["path"]):
            endpoint, path_params = found
            return Match.FULL, {"endpoint": endpoint, "route": endpoint.route, "path_params": path_params}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint: Served = scope["endpoint"]
        services: Services = scope["state"]["services"]
        if scope["method"] in endpoint.methods:
            if services.game_server_proxy and _has_passed_session(endpoint, scope):
                await Passthrough().handle(scope, receive, send)
                return
            try:
                await endpoint(scope, receive, send)
            except Unserved as error:
                learned: LearnedAdditions = scope["state"]["additions"]
                # HEAD is GET there.
                if error.value not in learned.current.lacked.get(("GET", endpoint.route), ()):
                    raise
                scope["passed_on_path"] = learned.current.place(canonical(scope["path"]), scope["raw_path"])
                await Passthrough().handle(scope, receive, send)
            return
        allow = {"Allow": ", ".join((*endpoint.methods, "OPTIONS"))}
        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=allow)(scope, receive, send)
        elif self._pass_writes and services.game_server_proxy:
            await Passthrough().handle(scope, receive, send)
        else:
            raise HTTPException(405, headers=allow)


def _has_passed_session(endpoint: Served, scope: Scope) -> bool:
    """Return whether a request has a session, and the endpoint passes those on."""
    if not (isinstance(endpoint, Endpoint) and endpoint.passes_sessions):
        return False
    cookies = (value for name, value in scope["headers"] if name == b"cookie")
    return any(
        cookie.strip().startswith(SESSION_COOKIE + b"=") for value in cookies for cookie in value.split(b";")
    )


API_V1 = RouteTable({prefix + name: endpoint for prefix in V1_PREFIXES for name, endpoint in V1.items()})
API_V2 = RouteTable(
    {prefix + name: endpoint for prefix in V2_PREFIXES for name, endpoint in V2.items()}, pass_writes=True
)


class OsuV1(RouteTable):
    """The route of the osu! API v1."""

    def __init__(self) -> None:
        super().__init__({})

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http":
            return Match.NONE, {}
        services: Services = scope["state"]["services"]
        name = endpoint_of(scope, has_game_server=services.game_server_proxy is not None)
        if name is None:
            return Match.NONE, {}
        endpoint = OSU_V1[name]
        return Match.FULL, {"endpoint": endpoint, "route": endpoint.route, "path_params": {}}


class PassedOn(Passthrough):
    """A route that takes the requests that are the game server's although apidot serves their paths."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http":
            return Match.NONE, {}
        learned: LearnedAdditions = scope["state"]["additions"]
        additions = learned.current
        if not additions:
            return Match.NONE, {}
        path = canonical(scope["path"])
        if path in additions or self._is_addition(additions, scope):
            return Match.FULL, {"passed_on_path": additions.place(path, scope["raw_path"])}
        return Match.NONE, {}

    def _is_addition(self, additions: Additions, scope: Scope) -> bool:
        found = API_V1.find(scope["path"]) or API_V2.find(scope["path"])
        if found is None:
            return False
        endpoint, path_params = found
        assert isinstance(endpoint, Endpoint)
        return additions.used_by(scope["method"], endpoint, scope["query_string"], path_params)


def canonical(path: str) -> str:
    """Return the path under which the documentation has a path: /v1/get_clan for /api/get_clan/."""
    path = path.removesuffix("/") or "/"
    if found := API_V1.find(path):
        return found[0].route
    if name := name_in(path):
        return OSU_V1_PREFIX + name
    return path.removeprefix("/api") if path.startswith("/api/v2/") else path


def additions_to_routes(settings: Settings, declared: Declared) -> Additions:
    """Return what is passed on with these settings to a game server that declares this."""
    listed = comma_separated(settings.pass_on) if settings.passes_on else []
    # If the game server has an endpoint with one of these names, that one is served, as before.
    names = OSU_V1.keys() - V1.keys() - {"get_beatmaps"}
    listed += [f"/v1/{name}" for name in sorted(names) if f"/v1/{name}" in declared]
    return additions_of(declared, ROUTES.values(), {canonical(path): path for path in listed})


def routes(metrics_page: MetricsPage, settings: Settings) -> list[BaseRoute]:
    """Return the routes for Starlette. Paths that are in none of them are passed to the game server."""
    osu_v1 = settings.osu_api_v1
    site = pages(settings.demo_key)
    described = [endpoint for route, endpoint in ROUTES.items() if osu_v1 or route not in OSU_V1_ROUTES]
    start_page = site.pop("/")
    return [
        PassedOn(),
        *([OsuV1()] if osu_v1 else []),
        API_V1,
        API_V2,
        RouteTable(dict.fromkeys(PATHS, socket.ScoreSocket())),
        RouteTable({**site, **HEALTH}),
        Route(OpenAPIDocument.path, OpenAPIDocument(described)),
        Route(metrics_page.path, metrics_page),
        StartPage(start_page),
        Passthrough(),
    ]
