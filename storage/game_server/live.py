"""Live state from the running game server: the best of what it tells, without hidden players."""

import asyncio
from collections.abc import Iterable

from domain.errors import Unavailable
from domain.live import Live, LiveStatus, Match, NamedPlayer, Roster
from domain.players import KnownPlayer
from storage.database import catalogue
from storage.database.database import Database
from storage.game_server.cached import CachedGameServer
from storage.game_server.client import NoAnswer
from storage.game_server.pages import MATCHES

CONCURRENT_MATCHES = 8


class GameServerLive(Live):
    """Live state that the game server tells."""

    def __init__(
        self, server: CachedGameServer, database: Database, *, visible: int, counted: int, timeout: float
    ) -> None:
        """`visible` are the privilege bits that a player needs to be shown, `counted` those to be counted.

        `timeout` is how many seconds the details of all matches may take together.
        """
        self._server = server
        self._database = database
        self._visible = visible
        self._counted = counted
        self._timeout = timeout
        self._concurrency = asyncio.Semaphore(CONCURRENT_MATCHES)

    async def count(self) -> int:
        online = await self._server.online()
        if online is None:
            return await self._server.count()
        known = await self._known(online.players)
        return sum(_has(self._counted, known.get(id)) for id in online.players)

    async def roster(self) -> Roster | None:
        online = await self._server.online(required=True)
        if online is None:
            return None
        known = await self._known([*online.players, *online.bots])
        visible = {id: name for id, name in online.players.items() if _has(self._visible, known.get(id))}
        return Roster(players=_named(visible, known), bots=_named(online.bots, known))

    async def is_online(self, player_id: int) -> bool:
        online = await self._server.online()
        if online is None:
            return await self.status(player_id) is not None
        return player_id in online

    async def status(self, player_id: int) -> LiveStatus | None:
        online = await self._server.online()
        # The API calls players online for hours after they have left.
        if online is not None and player_id not in online:
            return None
        return await self._server.status.get((player_id, online.bots.get(player_id) if online else None))

    async def match(self, match_id: int) -> Match | None:
        try:
            match = await self._details(match_id)
        except Unavailable:
            # The API fails at a match whose host has left.
            listed = await self._server.matches()
            if listed is None:
                raise
            match = listed.get(match_id)
        return (await self._without_hidden([match]))[0] if match else None

    async def matches(self) -> list[Match]:
        listed = await self._server.matches()
        # Only the page knows match 0.
        ids = range(1, MATCHES) if listed is None else sorted(listed)
        deadline = asyncio.get_running_loop().time() + self._timeout

        async def best(match_id: int) -> Match | None:
            """Return the match's details, or the last ones, or what the page says of it."""
            try:
                async with asyncio.timeout_at(deadline), self._concurrency:
                    return await self._details(match_id)
            except (Unavailable, TimeoutError):
                try:
                    return self._server.match.recent(match_id)
                except KeyError:
                    if listed is None:
                        raise NoAnswer(f"match {match_id}: no answer in time") from None
                    return listed[match_id]

        matches = await asyncio.gather(*(best(match_id) for match_id in ids))
        return await self._without_hidden([match for match in matches if match])

    async def _details(self, match_id: int) -> Match | None:
        if match_id:
            return await self._server.match.get(match_id)
        # The API does not take 0 for an id.
        return (await self._server.matches(required=True) or {}).get(0)

    async def _without_hidden(self, matches: list[Match]) -> list[Match]:
        names = {player.id: player.name for match in matches for player in match.named}
        known = await self._known(names)
        visible = {id: name for id, name in names.items() if _has(self._visible, known.get(id))}
        shown = {player.id: player.name for player in _named(visible, known)}
        return [match.shown(shown) for match in matches]

    async def _known(self, ids: Iterable[int]) -> dict[int, KnownPlayer]:
        """Return those of the players who are in the database, by id."""
        wanted = tuple(sorted(set(ids)))
        if not wanted:
            return {}
        return {player.id: player for player in await self._database.all(catalogue.known_players, ids=wanted)}


def _has(privileges: int, player: KnownPlayer | None) -> bool:
    return not privileges or (player is not None and player.priv & privileges == privileges)


def _named(safe_names: dict[int, str], known: dict[int, KnownPlayer]) -> list[NamedPlayer]:
    """Return the players sorted by id, under the names that the database has for them."""
    return [
        NamedPlayer(id=id, name=known[id].name if id in known else safe_name)
        for id, safe_name in sorted(safe_names.items())
    ]
