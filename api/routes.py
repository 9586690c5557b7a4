"""Every URL of the service, and the handler that answers it."""

from collections.abc import Mapping

from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from api import beatmaps, clans, leaderboards, matches, players, pools, replays, scores
from api.endpoint import Endpoint
from api.passthrough import Passthrough

# An endpoint is served at its name under each of these: the published documentation's form, today's, and both
# as a front-end proxies them on its own domain.
V1_PREFIXES = ("/", "/v1/", "/api/", "/api/v1/")

V1 = {
    "search_players": Endpoint(players.search_players),
    "get_player_count": Endpoint(players.get_player_count),
    "online": Endpoint(players.online),
    "get_player_info": Endpoint(players.get_player_info),
    "get_player_status": Endpoint(players.get_player_status),
    "get_player_scores": Endpoint(scores.get_player_scores),
    "get_player_most_played": Endpoint(scores.get_player_most_played),
    "get_map_info": Endpoint(beatmaps.get_map_info),
    "get_map_scores": Endpoint(scores.get_map_scores),
    "get_score_info": Endpoint(scores.get_score_info),
    "get_replay": Endpoint(replays.get_replay),
    "get_leaderboard": Endpoint(leaderboards.get_leaderboard),
    "get_clan": Endpoint(clans.get_clan),
    "get_mappool": Endpoint(pools.get_mappool),
    "get_match": Endpoint(matches.get_match),
    "get_matches": Endpoint(matches.get_matches),
}


class Table(BaseRoute):
    """Fixed paths, found by one look into a dictionary instead of one pattern after another."""

    def __init__(self, paths: Mapping[str, Endpoint]) -> None:
        self.paths = paths

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """A full match when the path, with or without a slash at its end, is in the table."""
        path = scope.get("path", "") if scope["type"] == "http" else ""
        endpoint = self.paths.get(path) or self.paths.get(path.removesuffix("/"))
        return (Match.FULL, {"endpoint": endpoint}) if endpoint else (Match.NONE, {})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request that `matches` has placed."""
        await scope["endpoint"](scope, receive, send)


def routes() -> list[BaseRoute]:
    """The route table for Starlette; what is not in it is the game server's own."""
    table = {prefix + name: endpoint for prefix in V1_PREFIXES for name, endpoint in V1.items()}
    return [Table(table), Passthrough()]
