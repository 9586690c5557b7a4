"""Whether Redis answers, and whether its ranks are those of the database."""

from collections.abc import Callable

from redis.exceptions import RedisError

from api.dependencies import DEGRADED, redis_state
from checks.findings import Finding, ok, warning
from config.settings import Settings
from domain.modes import Mode
from domain.players import Rank
from storage.cache.leaderboards import LeaderboardKey, LeaderboardOrder
from storage.database import catalogue
from storage.database.database import Database
from storage.ranks import Ranks, RedisRanks

SAMPLE = 5  # players from the top of each mode, and as many from its middle
RECALCULATE = "let the game server's recalc tool put them right, or leave REDIS_HOST empty to have ranks counted"


async def run(
    ranks: Ranks, database: Database | None, settings: Settings, progress: Callable[[str], None]
) -> list[Finding]:
    """Check Redis itself, and compare a sample of its ranks with the database, if that can be reached."""
    if not isinstance(ranks, RedisRanks):
        return [ok("redis.none", f"none is configured (REDIS_HOST): {DEGRADED['redis']}")]
    state = await redis_state(ranks)
    if state.error:
        return [_away(state.error)]
    redis = ranks.client
    try:
        info = await redis.info("server")
        sizes = {mode: int(await redis.zcard(f"bancho:leaderboard:{mode}")) for mode in Mode}
        has_old_keys = bool(await redis.exists(*(f"gulag:leaderboard:{mode}" for mode in Mode)))
    except (RedisError, OSError) as error:
        return [_away(error)]
    findings = [ok("redis.version", f"Redis {info.get('redis_version', 'of unknown version')}")]
    if database is None:
        return findings
    if not any(sizes.values()):
        return [*findings, await _empty(database, settings, has_old_keys)]
    countries: dict[int, str] = {}
    for mode, size in sizes.items():
        countries |= await _sample(database, settings, mode, 0)
        countries |= await _sample(database, settings, mode, size // 2)
    return [*findings, *await _compare(countries, ranks, Ranks(database), progress)]


def _away(reason: BaseException) -> Finding:
    text = f"does not answer: {reason}; {DEGRADED['redis']} meanwhile, which takes longer"
    advice = "are REDIS_HOST, REDIS_PORT, REDIS_USER and REDIS_PASS right, and does it run?"
    return warning("redis.away", text, advice)


async def _sample(database: Database, settings: Settings, mode: Mode, offset: int) -> dict[int, str]:
    """Return the countries of the players from rank `offset` + 1 on, by player id."""
    visible = settings.visible_on_boards
    ids = await LeaderboardOrder(database, visible=visible).page(
        LeaderboardKey("pp", mode, None), offset=offset, limit=SAMPLE
    )
    rows = await database.all(catalogue.leaderboard["pp"], ids=ids, mode=int(mode), visible=visible)
    return {row.player_id: row.country for row in rows}


async def _empty(database: Database, settings: Settings, has_old_keys: bool) -> Finding:
    """Return the finding about a Redis without ranks, which is right as long as nobody has any pp."""
    if has_old_keys:
        text = "the ranks are those of a game server before 4.3.0 (`gulag:leaderboard:`): everybody is unranked"
        return warning("redis.old-prefix", text, f"rename the keys to `bancho:leaderboard:`, or {RECALCULATE}")
    for mode in Mode:
        if await _sample(database, settings, mode, 0):
            text = "there are no ranks: everybody is unranked"
            return warning("redis.empty", text, f"is REDIS_DB right? Else {RECALCULATE}")
    return ok("redis.empty", "there are no ranks, and nobody has any pp")


async def _compare(
    countries: dict[int, str], in_redis: RedisRanks, in_database: Ranks, progress: Callable[[str], None]
) -> list[Finding]:
    compared, world, country = 0, list[str](), list[str]()
    for done, (player, home) in enumerate(sorted(countries.items())):
        progress(f"ranks of player {done + 1} of {len(countries)}")
        ranks = await in_redis.of(player, home)
        for mode, expected in (await in_database.of(player, home)).items():
            compared += 1
            rank = ranks.get(mode, Rank(0, 0))
            where = f"player {player} in mode {mode}: Redis {{}}, database {{}}"
            if rank.world != expected.world:
                world.append(where.format(rank.world, expected.world))
            elif rank.country != expected.country:
                country.append(where.format(rank.country, expected.country))
    findings = []
    if world:
        text = f"{len(world)} of {compared} ranks differ from the database's ({'; '.join(world[:3])})"
        findings.append(warning("redis.ranks-differ", text, RECALCULATE))
    if country:
        text = f"{len(country)} of {compared} ranks in the country differ ({'; '.join(country[:3])})"
        advice = "the game server files a rank under the country of the login, not the player's; " + RECALCULATE
        findings.append(warning("redis.country-ranks-differ", text, advice))
    return findings or [ok("redis.ranks-agree", f"{compared} of its ranks agree with the database")]
