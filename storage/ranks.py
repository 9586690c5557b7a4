"""Ranks of players: from the game server's sorted sets in Redis, or counted in the database."""

from functools import partial

from redis.exceptions import RedisError

from domain.errors import Unavailable
from domain.modes import Mode
from domain.players import Rank
from storage.availability import Availability
from storage.database import catalogue
from storage.database.database import Database
from storage.observer import Observer
from storage.redis_client import redis_client

LEADERBOARD = "bancho:leaderboard:"
# One script instead of a pipeline of sixteen commands, which takes the client five times as long.
SCRIPT = """
local ranks = {}
for index, leaderboard in ipairs(KEYS) do
    ranks[index] = redis.call('ZREVRANK', leaderboard, ARGV[1])
end
return ranks
"""


class Ranks:
    """Ranks counted by one statement: the same numbers as in Redis, but slower to get."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, player_id: int, country: str) -> dict[int, Rank]:
        """Return a player's rank in each mode, without modes in which the player has none."""
        rows = await self._database.all(catalogue.player_ranks, id=player_id)
        return {row.mode: Rank(row.world, row.country) for row in rows}


class RedisRanks(Ranks):
    """Ranks from Redis, all modes in one command; counted in the database while Redis is down."""

    def __init__(self, database: Database, url: str, *, timeout: float, observer: Observer | None = None) -> None:
        """Redis has `timeout` seconds to connect, and as many to answer."""
        super().__init__(database)
        self.client = redis_client(url, timeout)
        self._observer = observer or Observer()
        self._availability = Availability(
            "Redis", "counting ranks in the database", on_change=partial(self._observer.on_availability, "redis")
        )

    async def of(self, player_id: int, country: str) -> dict[int, Rank]:
        keys = [key for mode in Mode for key in (f"{LEADERBOARD}{mode}", f"{LEADERBOARD}{mode}:{country}")]
        try:
            with self._observer.call("redis", "ranks"):
                positions = await self.client.eval(SCRIPT, len(keys), *keys, str(player_id))
        except (RedisError, OSError) as error:
            self._availability.down(error)
            return await super().of(player_id, country)
        self._availability.up()
        ranks = [0 if position is None else position + 1 for position in positions]
        pairs = zip(Mode, ranks[::2], ranks[1::2], strict=True)
        return {mode: Rank(world, home) for mode, world, home in pairs if world or home}

    async def ping(self) -> None:
        """Raise Unavailable, with its cause, if Redis does not answer."""
        try:
            await self.client.ping()
        except (RedisError, OSError) as error:
            raise Unavailable("Redis did not answer.") from error

    async def close(self) -> None:
        await self.client.aclose()
