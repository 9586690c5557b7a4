"""Ranks of players: from the game server's sorted sets in Redis, or counted in the database."""

import logging
import time
from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import accumulate
from typing import NamedTuple

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from domain.modes import Mode
from domain.players import Rank, RankStep
from storage.availability import Availability
from storage.batches import Batches
from storage.database import catalogue
from storage.database.database import Database
from storage.observer import Observer
from storage.redis_client import RedisAway, RedisClient

log = logging.getLogger("apidot")

LEADERBOARD = "bancho:leaderboard:"
# The keys of the leaderboards of the world. To format a mode takes as long as all else here.
WORLD = {mode: f"{LEADERBOARD}{mode}" for mode in Mode}
# The position on a leaderboard that does not exist. Players who are not on one have the position None.
MISSING = -1
# One script instead of a pipeline of as many commands, which takes the client five times as long.
SCRIPT = f"""
local positions = {{}}
for index, leaderboard in ipairs(KEYS) do
    local position = redis.pcall('ZREVRANK', leaderboard, ARGV[index])
    if not position and redis.pcall('EXISTS', leaderboard) == 0 then
        position = {MISSING}
    end
    positions[index] = position
end
return positions
"""
# For how long the script is not tried again after Redis has refused it.
WITHOUT_SCRIPT_SECONDS = 60.0
UNRANKED = Rank(0, 0)
# How many questions one command has at most, and up to how many places a question shares it with others: those of
# a player in all modes. An answer has to stay below MAX_ANSWER_BYTES.
MAX_BATCH, ALONE = 100, 2 * len(Mode)
# How many missing leaderboards are remembered, and more members than a leaderboard has.
MAX_MISSING, MAX_POSITION = 1_000, 2**31


def leaderboards(mode: Mode, country: str) -> tuple[str, str]:
    """Return the keys of the leaderboards of a mode: of the world, and of the country."""
    world = WORLD[mode]
    return world, f"{world}:{country}"


# The keys of leaderboards, each with the id of a player.
Places = Sequence[tuple[str, int]]


class RankedPlayer(NamedTuple):
    """A player, and the player's pp by mode, without modes in which it is 0."""

    id: int
    country: str
    pp: Mapping[int, int]


class Ranks:
    """Ranks counted in the database: the same numbers as in Redis, but slower to get."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, player_id: int, country: str, modes: Iterable[int]) -> dict[int, Rank]:
        """Return the ranks of a visible player in `modes`, the modes in which the player has pp."""
        # How much that is, the statement for a single player reads itself.
        ranks = await self.of_players([RankedPlayer(player_id, country, dict.fromkeys(modes, 1))])
        return ranks[player_id]

    async def of_players(self, players: Sequence[RankedPlayer]) -> dict[int, dict[int, Rank]]:
        """Return the ranks of visible players, by player id and mode."""
        ranks: dict[int, dict[int, Rank]] = {player.id: {} for player in players}
        with_pp = [player for player in players if player.pp]
        if len(with_pp) == 1:
            player = with_pp[0]
            modes = tuple(player.pp)
            for row in await self._database.all(catalogue.player_ranks, id=player.id, modes=modes):
                ranks[player.id][row.mode] = Rank(row.world, row.country)
            return ranks
        # That statement reads the players ahead of each player. These read each player of a mode once.
        for mode in sorted({mode for player in with_pp for mode in player.pp}):
            counted = await self._counted(mode, [player for player in with_pp if mode in player.pp])
            for id, rank in counted.items():
                ranks[id][mode] = rank
        return ranks

    async def _counted(self, mode: int, players: Sequence[RankedPlayer]) -> dict[int, Rank]:
        """Return the ranks in a mode of players who have pp in it, by id."""
        pps = sorted({player.pp[mode] for player in players})
        keys = sorted({_text_order(player.id) for player in players})
        countries = tuple(sorted({player.country for player in players}))
        steps = await self._database.all(
            catalogue.rank_steps, mode=mode, least=pps[0], pps=tuple(pps), keys=tuple(keys), countries=countries
        )
        # The database compares countries without case.
        by_country: dict[str, list[RankStep]] = {country.casefold(): [] for country in countries}
        for step in steps:
            by_country.setdefault(step.country.casefold(), []).append(step)
        world = _from_the_top(steps)
        home = {country: _from_the_top(some) for country, some in by_country.items()}
        ranks = {}
        for player in players:
            place = (bisect(pps, player.pp[mode]), bisect(keys, _text_order(player.id)))
            ranks[player.id] = Rank(_down_to(place, world), _down_to(place, home[player.country.casefold()]))
        return ranks


class RedisRanks(Ranks):
    """Ranks from Redis, all modes in one command.

    They are counted in the database while Redis is down. So are those on a leaderboard that Redis lacks although
    the player has pp: it has been emptied.
    """

    def __init__(self, database: Database, url: str, *, timeout: float, observer: Observer | None = None) -> None:
        """Redis has `timeout` seconds to answer, connecting included."""
        super().__init__(database)
        self.redis = RedisClient(url, timeout)
        self._positions: Batches[Places, list[int | None]] = Batches(self._ask_all, most=MAX_BATCH)
        # Why Redis does not run scripts; None if it does.
        self.script_refused: str | None = None
        self._script_refused_until = 0.0
        self._refusal_logged = False
        self._observer = observer or Observer()
        self._availability = Availability(
            "Redis", "counting ranks in the database", on_change=partial(self._observer.on_availability, "redis")
        )
        # Apart, because a country may never have a leaderboard: the game server files players under the country
        # of their login, which need not be the one in the database.
        self._worlds = _MissingLeaderboards("of the world")
        self._countries = _MissingLeaderboards("of a country")

    async def of_players(self, players: Sequence[RankedPlayer]) -> dict[int, dict[int, Rank]]:
        ranks: dict[int, dict[int, Rank]] = {player.id: {} for player in players}
        # Game servers have leaderboards of these modes alone.
        asked = [(player, mode) for player in players for mode in Mode if mode in player.pp]
        if not asked:
            return ranks
        places = [(key, player.id) for player, mode in asked for key in leaderboards(mode, player.country)]
        try:
            with self._observer.call("redis", "ranks"):
                positions = await self.positions(places)
        except RedisAway as error:
            self._availability.down(error)
            return await super().of_players(players)
        self._availability.up()
        self._log_refusal()
        counted: dict[int, dict[int, Rank]] = {}
        if MISSING in positions or self._worlds.leaderboards or self._countries.leaderboards:
            counted = await self._count_missing(players, asked, places, positions)
        for (player, mode), world, home in zip(asked, positions[::2], positions[1::2], strict=True):
            in_database = counted.get(player.id, {}).get(mode, UNRANKED)
            rank = Rank(_rank(world, in_database.world), _rank(home, in_database.country))
            if rank != UNRANKED:
                ranks[player.id][mode] = rank
        return ranks

    async def _count_missing(
        self,
        players: Sequence[RankedPlayer],
        asked: Sequence[tuple[RankedPlayer, int]],
        places: Places,
        positions: Sequence[int | None],
    ) -> dict[int, dict[int, Rank]]:
        """Return the ranks on leaderboards that Redis lacks, by player id and mode. Log which ones these are."""
        found = [(key, position) for (key, _), position in zip(places, positions, strict=True)]
        worlds, homes = found[::2], found[1::2]
        self._worlds.note(worlds)
        self._countries.note(home for (_, world), home in zip(worlds, homes, strict=True) if world != MISSING)
        lacking: dict[int, dict[int, int]] = {}
        for (player, mode), (_, world), (_, home) in zip(asked, worlds, homes, strict=True):
            if MISSING in (world, home):
                lacking.setdefault(player.id, {})[mode] = player.pp[mode]
        return await super().of_players(
            [player._replace(pp=lacking[player.id]) for player in players if player.id in lacking]
        )

    @property
    def missing(self) -> list[str]:
        """The leaderboards that Redis lacked when it was last asked for a player who belongs on them."""
        return sorted(self._worlds.leaderboards | self._countries.leaderboards)

    async def positions(self, places: Places) -> list[int | None]:
        """Return the position of each player on a leaderboard, counted from 0, None if there is none.

        `places` are the keys of leaderboards with the ids of players. A position is MISSING if Redis has no such
        leaderboard, or something else under that key. Raise RedisAway.
        """
        if len(places) > ALONE:
            return (await self._ask_all([places]))[0]
        return await self._positions.get(places)

    async def missing_modes(self) -> list[Mode]:
        """Return the modes whose leaderboard Redis lacks, asked for as a player's ranks are. Raise RedisAway."""
        positions = await self.positions([(key, 0) for mode in Mode for key in leaderboards(mode, "xx")])
        return [mode for mode, position in zip(Mode, positions[::2], strict=True) if position == MISSING]

    async def close(self) -> None:
        await self._positions.close()
        await self.redis.close()

    async def _ask_all(self, questions: Sequence[Places]) -> list[list[int | None]]:
        places = [place for question in questions for place in question]
        answer = await self.redis.call(partial(self._ask, places))
        if not isinstance(answer, list) or len(answer) != len(places):
            raise RedisAway("it answered something else than ranks")
        positions = iter(answer)
        return [[self._position(next(positions)) for _ in question] for question in questions]

    async def _ask(self, places: Places, redis: Redis) -> object:
        refused: ResponseError | None = None
        if time.monotonic() >= self._script_refused_until:
            try:
                keys, players = zip(*places, strict=True)
                answer: object = await redis.eval(SCRIPT, len(places), *keys, *players)
            except ResponseError as error:
                refused = error
            else:
                self.script_refused = None
                return answer
        async with redis.pipeline(transaction=False) as pipeline:
            for key, player in places:
                pipeline.zrevrank(key, str(player))
                pipeline.exists(key)
            answers = await pipeline.execute(raise_on_error=False)
        if refused and not any(isinstance(answer, Exception) for answer in answers[::2]):
            self.script_refused = self.redis.reason(refused)
            self._script_refused_until = time.monotonic() + WITHOUT_SCRIPT_SECONDS
        return [_found(position, exists) for position, exists in zip(answers[::2], answers[1::2], strict=True)]

    def _log_refusal(self) -> None:
        if self.script_refused and not self._refusal_logged:
            log.warning("Redis refuses EVAL (%s): ranks are asked for with one command each", self.script_refused)
        self._refusal_logged = self.script_refused is not None

    def _position(self, answer: object) -> int | None:
        if isinstance(answer, Exception):
            if str(answer).startswith("WRONGTYPE"):
                return MISSING
            raise RedisAway(f"ZREVRANK: {self.redis.reason(answer)}")
        if answer is None or (isinstance(answer, int) and MISSING <= answer < MAX_POSITION):
            return answer
        raise RedisAway("it answered something else than ranks")


class _MissingLeaderboards:
    """Logs when Redis lacks a leaderboard that a player belongs on, and when it lacks none any more."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self.leaderboards: set[str] = set()

    def note(self, positions: Iterable[tuple[str, int | None]]) -> None:
        """Take note of the positions of a player on some leaderboards."""
        lacked_any = bool(self.leaderboards)
        for leaderboard, position in positions:
            if position != MISSING:
                self.leaderboards.discard(leaderboard)
            elif len(self.leaderboards) < MAX_MISSING:
                self.leaderboards.add(leaderboard)
        if self.leaderboards and not lacked_any:
            text = "Redis lacks leaderboards %s, such as %s: ranks on them are counted in the database"
            log.warning(text, self._kind, min(self.leaderboards))
        elif lacked_any and not self.leaderboards:
            log.warning("Redis has the leaderboards %s again", self._kind)


def _text_order(id: int) -> int:
    """Return a number by which ids are in the order of their texts, as sql/rank_steps.sql has it."""
    text = str(id)
    return int(text.ljust(10, "0")) * 100 + len(text)


def _from_the_top(steps: Iterable[RankStep]) -> tuple[list[tuple[int, int]], list[int]]:
    """Return the places that have players, the best one first and negated, and how many there are down to each."""
    ordered = sorted(steps, key=lambda step: (-step.pp_step, -step.id_step))
    places = [(-step.pp_step, -step.id_step) for step in ordered]
    return places, list(accumulate(step.players for step in ordered))


def _down_to(place: tuple[int, int], counted: tuple[list[tuple[int, int]], list[int]]) -> int:
    """Return how many players are at a place or at better ones."""
    places, totals = counted
    index = bisect(places, (-place[0], -place[1]))
    return totals[index - 1] if index else 0


def _found(position: object, exists: object) -> object:
    """Return what the script returns for a leaderboard, from the answers to ZREVRANK and EXISTS."""
    if position is not None:
        return position
    if exists == 0:
        return MISSING
    # A user who may not ask whether it exists: as if it did. Anything else is no answer to EXISTS.
    return None if isinstance(exists, int | ResponseError) else exists or b""


def _rank(position: int | None, in_database: int) -> int:
    """Return the rank at a position, 0 if there is none; on a missing leaderboard `in_database`."""
    if position == MISSING:
        return in_database
    return 0 if position is None else position + 1
