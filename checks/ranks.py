"""Whether Redis answers, and whether its ranks are those that the database comes to."""

from collections.abc import Callable
from typing import Any

import redis.asyncio
from redis.exceptions import RedisError

from checks.findings import Finding, ok, warning
from config.settings import Settings
from domain.modes import Mode
from domain.players import Rank
from storage.cache.leaderboards import LeaderboardKey, LeaderboardOrder
from storage.database import catalogue
from storage.database.database import Database
from storage.ranks import DatabaseRanks, RedisRanks

SAMPLE = 5  # players from the top of each mode, and as many from its middle
RECALCULATE = "let the game server's recalc tool put them right, or leave REDIS_HOST empty to have ranks counted"


async def run(settings: Settings, database: Database | None, progress: Callable[[str], None]) -> list[Finding]:
    """Redis itself, and a sample of its ranks."""
    if settings.redis is None:
        return [ok("redis.none", "none is configured (REDIS_HOST): ranks are counted in the database")]
    patience = max(settings.redis_timeout, 2.0)
    limits: dict[str, Any] = {"socket_timeout": patience, "socket_connect_timeout": patience}
    client = redis.asyncio.Redis.from_url(settings.redis, decode_responses=True, **limits)
    async with client:
        try:
            info = await client.info("server")
            boards = {mode: int(await client.zcard(f"bancho:leaderboard:{mode}")) for mode in Mode}
            old = bool(await client.exists(*(f"gulag:leaderboard:{mode}" for mode in Mode)))
        except (RedisError, OSError) as reason:
            text = f"does not answer: {reason}; ranks are counted in the database meanwhile, which takes longer"
            advice = "are REDIS_HOST, REDIS_PORT, REDIS_USER and REDIS_PASS right, and does it run?"
            return [warning("redis.away", text, advice)]
    found = [ok("redis.version", f"Redis {info.get('redis_version', 'of unknown version')}")]
    if database is None:
        return found
    if not any(boards.values()):
        return [*found, *await _empty(database, settings, old)]
    players: dict[int, str] = {}
    for mode, size in boards.items():
        players |= await _players(database, settings, mode, 0)
        players |= await _players(database, settings, mode, size // 2)
    ranks = RedisRanks(settings.redis, timeout=patience, fallback=DatabaseRanks(database))
    try:
        return [*found, *await _compared(players, ranks, DatabaseRanks(database), progress)]
    finally:
        await ranks.close()


async def _players(database: Database, settings: Settings, mode: Mode, offset: int) -> dict[int, str]:
    """Players of a mode from a place onwards, and their countries."""
    visible = settings.visible_on_boards
    ids = await LeaderboardOrder(database, visible=visible).page(
        LeaderboardKey("pp", mode, None), offset=offset, limit=SAMPLE
    )
    rows = await database.all(catalogue.leaderboard["pp"], ids=ids, mode=int(mode), visible=visible)
    return {row.player_id: row.country for row in rows}


async def _empty(database: Database, settings: Settings, old: bool) -> list[Finding]:
    """There are no ranks, which is right as long as nobody has any pp."""
    if old:
        text = "the ranks are those of a game server before 4.3.0 (`gulag:leaderboard:`): everybody is unranked"
        return [warning("redis.old-prefix", text, f"rename the keys to `bancho:leaderboard:`, or {RECALCULATE}")]
    for mode in Mode:
        if await _players(database, settings, mode, 0):
            text = "there are no ranks: everybody is unranked"
            return [warning("redis.empty", text, f"is REDIS_DB right? Else {RECALCULATE}")]
    return [ok("redis.empty", "there are no ranks, and nobody has any pp")]


async def _compared(
    players: dict[int, str], ranks: RedisRanks, counted: DatabaseRanks, progress: Callable[[str], None]
) -> list[Finding]:
    """Whether players have the places in Redis that the database comes to."""
    compared, world, country = 0, list[str](), list[str]()
    for done, (player, home) in enumerate(sorted(players.items())):
        progress(f"ranks of player {done + 1} of {len(players)}")
        there = await ranks.of(player, home)
        for mode, right in (await counted.of(player, home)).items():
            compared += 1
            found = there.get(mode, Rank(0, 0))
            where = f"player {player} in mode {mode}: Redis {{}}, database {{}}"
            if found.world != right.world:
                world.append(where.format(found.world, right.world))
            elif found.country != right.country:
                country.append(where.format(found.country, right.country))
    findings = []
    if world:
        text = f"{len(world)} of {compared} ranks differ from the database's ({'; '.join(world[:3])})"
        findings.append(warning("redis.ranks-differ", text, RECALCULATE))
    if country:
        text = f"{len(country)} of {compared} ranks in the country differ ({'; '.join(country[:3])})"
        advice = "the game server files a rank under the country of the login, not the player's; " + RECALCULATE
        findings.append(warning("redis.country-ranks-differ", text, advice))
    return findings or [ok("redis.ranks-agree", f"{compared} of its ranks agree with the database")]
