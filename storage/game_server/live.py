"""Live state from the running game server: which of its answers counts, and who may be seen in it."""

import asyncio
from collections.abc import Iterable

from domain.errors import Unavailable
from domain.live import LiveStatus, Match, NamedPlayer, Roster
from domain.players import KnownPlayer
from storage.database import catalogue
from storage.database.database import Database
from storage.game_server.cached import CachedGameServer
from storage.game_server.client import NoAnswer
from storage.game_server.pages import MATCHES

# The API takes no id below this one; the bot, whose id is 1, goes by its name.
FIRST_PLAYER = 3
# How many matches are asked about at a time.
AT_ONCE = 8


class GameServerLive:
    """A Live that asks the game server."""

    def __init__(
        self, questions: CachedGameServer, database: Database, *, visible: int, counted: int, patience: float
    ) -> None:
        """`visible` are the privilege bits a player needs to be seen, `counted` those to be counted.

        `patience` is how many seconds the details of all matches may take together.
        """
        self._questions = questions
        self._database = database
        self._visible = visible
        self._counted = counted
        self._patience = patience
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def count(self) -> int:
        """See Live."""
        presence = await self._questions.presence()
        if presence is None:
            return await self._questions.count()
        known = await self._known(presence.players)
        return sum(_has(self._counted, known.get(id)) for id in presence.players)

    async def roster(self) -> Roster | None:
        """See Live."""
        presence = await self._questions.presence()
        if presence is None:
            return None
        known = await self._known([*presence.players, *presence.bots])
        seen = {id: name for id, name in presence.players.items() if _has(self._visible, known.get(id))}
        return Roster(players=_named(seen, known), bots=_named(presence.bots, known))

    async def is_online(self, player_id: int) -> bool:
        """See Live."""
        presence = await self._questions.presence()
        if presence is None:
            return await self.status(player_id) is not None
        return player_id in presence

    async def status(self, player_id: int) -> LiveStatus | None:
        """See Live."""
        presence = await self._questions.presence()
        # The API calls players online for hours after they have left.
        if presence is not None and player_id not in presence:
            return None
        if player_id >= FIRST_PLAYER:
            return await self._questions.status(("id", player_id))
        name = presence.bots.get(player_id) if presence else None
        return await self._questions.status(("name", name)) if name else None

    async def match(self, match_id: int) -> Match | None:
        """See Live."""
        try:
            found = await self._detailed(match_id)
        except Unavailable:
            # The API fails at a match whose host has left.
            listed = await self._questions.listed()
            if listed is None:
                raise
            found = listed.get(match_id)
        return (await self._shown([found]))[0] if found else None

    async def matches(self) -> list[Match]:
        """See Live."""
        listed = await self._questions.listed()
        ids = range(MATCHES) if listed is None else sorted(listed)
        deadline = asyncio.get_running_loop().time() + self._patience

        async def best(match_id: int) -> Match | None:
            try:
                async with asyncio.timeout_at(deadline), self._turns:
                    return await self._detailed(match_id)
            except (Unavailable, TimeoutError):
                for last in self._questions.last_match(match_id):
                    return last
                if listed is None:
                    raise NoAnswer(f"match {match_id}: no answer in time") from None
                return listed[match_id]

        found = await asyncio.gather(*(best(match_id) for match_id in ids))
        return await self._shown([match for match in found if match])

    async def _detailed(self, match_id: int) -> Match | None:
        if match_id:
            return await self._questions.match(match_id)
        # The API has never taken the id of the first match for one.
        return (await self._questions.listed() or {}).get(0)

    async def _shown(self, matches: list[Match]) -> list[Match]:
        """The matches without anybody who is hidden."""
        names = {player.id: player.name for match in matches for player in match.named}
        known = await self._known(names)
        seen = {id: name for id, name in names.items() if _has(self._visible, known.get(id))}
        shown = {player.id: player.name for player in _named(seen, known)}
        return [match.shown(shown) for match in matches]

    async def _known(self, ids: Iterable[int]) -> dict[int, KnownPlayer]:
        """Who these players are, in one statement."""
        wanted = tuple(sorted(set(ids)))
        if not wanted:
            return {}
        return {player.id: player for player in await self._database.all(catalogue.known_players, ids=wanted)}


def _has(privileges: int, player: KnownPlayer | None) -> bool:
    return not privileges or (player is not None and player.priv & privileges == privileges)


def _named(safe_names: dict[int, str], known: dict[int, KnownPlayer]) -> list[NamedPlayer]:
    return [
        NamedPlayer(id=id, name=known[id].name if id in known else safe_name)
        for id, safe_name in sorted(safe_names.items())
    ]
