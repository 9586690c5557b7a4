"""Where a player stands: from the game server's sorted sets in Redis, or counted in the database."""

from typing import Protocol

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from domain.errors import Unavailable
from domain.modes import Mode
from domain.players import Rank
from storage.availability import Availability
from storage.database import catalogue
from storage.database.database import Database
from storage.observer import Observer

BOARD = "bancho:leaderboard:"
# As a pipeline of sixteen commands it takes the client five times as long as this one.
PLACES = """
local places = {}
for index, board in ipairs(KEYS) do
    places[index] = redis.call('ZREVRANK', board, ARGV[1])
end
return places
"""


class Ranks(Protocol):
    """Answers one question."""

    async def of(self, player_id: int, country: str) -> dict[int, Rank]:
        """A player's place in each mode; modes without a place are left out."""


class DatabaseRanks:
    """Ranks counted by one statement: the same numbers as Redis has, at more cost."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, player_id: int, country: str) -> dict[int, Rank]:
        """See Ranks. Raises Unavailable without the database."""
        rows = await self._database.all(catalogue.player_ranks, id=player_id)
        return {row.mode: Rank(row.world, row.country) for row in rows}


class RedisRanks:
    """Ranks from Redis, all modes in one command; while Redis is away, from `fallback`."""

    def __init__(self, url: str, *, timeout: float, fallback: Ranks, observer: Observer | None = None) -> None:
        """`timeout` is how many seconds Redis may take to connect, and to answer."""
        self.client = redis.asyncio.Redis.from_url(
            url,
            decode_responses=True,
            # With version 3 the client does not notice before use that a pooled connection was closed.
            protocol=2,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            # Another try would make a request wait twice; the database knows the answer too.
            retry=Retry(NoBackoff(), 0),
        )
        self._fallback = fallback
        self._observer = observer or Observer()
        self._availability = Availability(
            "Redis", "counting ranks in the database", tell=self._observer.reach("redis")
        )

    async def of(self, player_id: int, country: str) -> dict[int, Rank]:
        """See Ranks."""
        boards = [board for mode in Mode for board in (f"{BOARD}{mode}", f"{BOARD}{mode}:{country}")]
        try:
            with self._observer.call("redis", "ranks"):
                found = await self.client.eval(PLACES, len(boards), *boards, str(player_id))
        except (RedisError, OSError) as error:
            self._availability.down(error)
            return await self._fallback.of(player_id, country)
        self._availability.up()
        places = [0 if place is None else place + 1 for place in found]
        pairs = zip(Mode, places[::2], places[1::2], strict=True)
        return {mode: Rank(world, home) for mode, world, home in pairs if world or home}

    async def ping(self) -> None:
        """Raise Unavailable, with its cause, if Redis does not answer."""
        try:
            await self.client.ping()
        except (RedisError, OSError) as error:
            raise Unavailable("Redis did not answer.") from error

    async def close(self) -> None:
        """Close the connections."""
        await self.client.aclose()
