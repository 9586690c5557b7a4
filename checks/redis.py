"""Whether Redis answers, and whether its ranks are those of the database."""

from collections.abc import Awaitable, Callable
from operator import methodcaller
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import Redis

from api.dependencies import DEGRADED, DEGRADED_LIMITS, DEGRADED_SCRIPTS
from checks.findings import Finding, ok, warning
from checks.hosts import advice_if_unknown
from config.settings import Settings
from domain.modes import Mode
from domain.players import Rank
from storage.cache.change_marker import CHANNEL
from storage.cache.leaderboards import LeaderboardKey, LeaderboardOrder
from storage.database import catalogue
from storage.database.database import Database
from storage.key_failures import PREFIX, WAIT
from storage.ranks import LEADERBOARD, Ranks, RedisRanks
from storage.rate_limit import RateLimiter, RedisRateLimiter
from storage.redis_client import RedisAway

SAMPLE = 5  # players from the top of each mode, and as many from its middle
RECALCULATE = "let the game server's recalc tool put them right, or leave REDIS_HOST empty to have ranks counted"


async def run(
    ranks: Ranks,
    limiter: RateLimiter | None,
    database: Database | None,
    settings: Settings,
    progress: Callable[[str], None],
) -> list[Finding]:
    """Check Redis itself, and compare a sample of its ranks with the database, if that can be reached."""
    if not isinstance(ranks, RedisRanks):
        return [ok("redis.none", f"none is configured (REDIS_HOST): {DEGRADED['redis']}")]
    try:
        missing = await ranks.missing_modes()
        findings = [await _version(ranks), *_scripts(ranks), *await _limits(limiter), *await _sharing(ranks)]
        if database is None:
            return findings
        if len(missing) == len(Mode):
            return [*findings, await _empty(ranks, database, settings)]
        countries = await _samples(ranks, database, settings)
        return [*findings, *await _compare(countries, ranks, Ranks(database), progress)]
    except RedisAway as reason:
        text = f"does not answer: {reason}; {DEGRADED['redis']} meanwhile, which takes longer"
        advice = "are REDIS_HOST, REDIS_PORT, REDIS_USER and REDIS_PASS right, and does it run?"
        unknown = await advice_if_unknown(urlsplit(settings.redis or "").hostname, "REDIS_HOST")
        return [warning("redis.away", text, unknown or advice)]


async def _version(ranks: RedisRanks) -> Finding:
    info = await _optional(ranks, methodcaller("info", "server"))
    version = info.get("redis_version") if isinstance(info, dict) else None
    return ok("redis.version", f"Redis {version or 'of unknown version'}")


async def _optional(ranks: RedisRanks, command: Callable[[Redis], Awaitable[Any]]) -> Any:
    """Return what Redis answers to a command that only this check needs, None if it is refused."""
    try:
        return await ranks.redis.call(command)
    except RedisAway:
        return None


def _scripts(ranks: RedisRanks) -> list[Finding]:
    if ranks.script_refused is None:
        return []
    advice = "allow EVAL: rate limits that workers share need it"
    return [warning("redis.no-eval", f"{DEGRADED_SCRIPTS} ({ranks.script_refused})", advice)]


async def _limits(limiter: RateLimiter | None) -> list[Finding]:
    if not isinstance(limiter, RedisRateLimiter):
        return []
    try:
        await limiter.check()
    except RedisAway as reason:
        advice = "allow this user EVAL, TIME, GET and SET with the keys `apidot:limit:*`"
        return [warning("redis.limits", f"{DEGRADED_LIMITS}: Redis does not count them ({reason})", advice)]
    return []


async def _sharing(ranks: RedisRanks) -> list[Finding]:
    """Check what several workers and hosts share through Redis, apart from rate limits."""

    async def count(redis: Redis) -> None:
        await redis.eval(WAIT, 1, f"{PREFIX}check", "1")

    async def hear(redis: Redis) -> None:
        # What is published counts as a change, which makes some responses new.
        await redis.publish(CHANNEL, b"check")
        async with redis.pubsub() as channel:
            await channel.subscribe(CHANNEL)
            await channel.get_message(timeout=1)

    findings = []
    try:
        await ranks.redis.call(count)
    except RedisAway as reason:
        advice = "allow this user EVAL, GET, INCR, PEXPIRE and PTTL with the keys `apidot:failures:*`"
        text = f"each worker counts wrong API keys by itself: Redis does not count them ({reason})"
        findings.append(warning("redis.failures", text, advice))
    try:
        await ranks.redis.call(hear)
    except RedisAway as reason:
        advice = "allow this user PUBLISH, SUBSCRIBE and PING, and the channels `apidot:*`"
        text = f"what players can change is not cached: Redis tells nothing of changes ({reason})"
        findings.append(warning("redis.changes", text, advice))
    return findings


async def _samples(ranks: RedisRanks, database: Database, settings: Settings) -> dict[int, str]:
    """Return the countries of some players by id: the first ones of each mode, and some from its middle."""
    countries: dict[int, str] = {}
    for mode in Mode:
        size = await _optional(ranks, methodcaller("zcard", f"{LEADERBOARD}{mode}"))
        countries |= await _sample(database, settings, mode, 0)
        countries |= await _sample(database, settings, mode, size // 2 if isinstance(size, int) else 0)
    return countries


async def _sample(database: Database, settings: Settings, mode: Mode, offset: int) -> dict[int, str]:
    """Return the countries of the players from rank `offset` + 1 on, by player id."""
    visible = settings.visible_on_boards
    ids = await LeaderboardOrder(database, visible=visible).page(
        LeaderboardKey("pp", mode, None), offset=offset, limit=SAMPLE
    )
    rows = await database.all(catalogue.leaderboard["pp"], ids=ids, mode=int(mode), visible=visible)
    return {row.player_id: row.country for row in rows}


async def _empty(ranks: RedisRanks, database: Database, settings: Settings) -> Finding:
    """Return the finding about a Redis without ranks, which is right as long as nobody has any pp."""
    old = [f"gulag:leaderboard:{mode}" for mode in Mode]
    if await _optional(ranks, methodcaller("exists", *old)):
        text = (
            "the ranks are those of a game server before 4.3.0 (`gulag:leaderboard:`): they are counted in the"
            " database"
        )
        return warning("redis.old-prefix", text, f"rename the keys to `{LEADERBOARD}`, or {RECALCULATE}")
    for mode in Mode:
        if await _sample(database, settings, mode, 0):
            text = f"there are no ranks: {DEGRADED['redis']}"
            return warning("redis.empty", text, f"is REDIS_DB right? Else {RECALCULATE}")
    return ok("redis.empty", "there are no ranks, and nobody has any pp")


async def _compare(
    countries: dict[int, str], in_redis: RedisRanks, in_database: Ranks, progress: Callable[[str], None]
) -> list[Finding]:
    compared, world, country = 0, list[str](), list[str]()
    for done, (player, home) in enumerate(sorted(countries.items())):
        progress(f"ranks of player {done + 1} of {len(countries)}")
        counted = await in_database.of(player, home, list(Mode))
        ranks = await in_redis.of(player, home, counted)
        for mode, expected in counted.items():
            compared += 1
            rank = ranks.get(mode, Rank(0, 0))
            where = f"player {player} in mode {mode}: Redis {{}}, database {{}}"
            if rank.world != expected.world:
                world.append(where.format(rank.world, expected.world))
            elif rank.country != expected.country:
                country.append(where.format(rank.country, expected.country))
    findings = []
    if missing := in_redis.missing:
        text = f"lacks leaderboards ({', '.join(missing[:3])}): ranks on them are counted in the database"
        findings.append(warning("redis.leaderboards-missing", text, RECALCULATE))
    if world:
        text = f"{len(world)} of {compared} ranks differ from the database's ({'; '.join(world[:3])})"
        findings.append(warning("redis.ranks-differ", text, RECALCULATE))
    if country:
        text = f"{len(country)} of {compared} ranks in the country differ ({'; '.join(country[:3])})"
        advice = "the game server files a rank under the country of the login, not the player's; " + RECALCULATE
        findings.append(warning("redis.country-ranks-differ", text, advice))
    return findings or [ok("redis.ranks-agree", f"{compared} of its ranks agree with the database")]
