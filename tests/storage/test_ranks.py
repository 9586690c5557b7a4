"""Ranks are the same from Redis and from the database, whatever happens to Redis."""

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from typing import Any

import httpx2
import pytest
from redis import Redis as RedisClient

from storage.database.database import Database
from storage.ranks import RankedPlayer, RedisRanks
from storage.ranks import Ranks as CountedRanks
from storage.redis_client import CONNECTIONS
from tests.api.v2.test_v2 import table
from tests.conftest import Recorded, Running, connected, running
from tests.storage.cache.test_leaderboards import Counting
from tests.support import conformance, mariadbd, servers
from tests.support.servers import MariaDB, Redis

Ranks = dict[tuple[int, str], tuple[int, int]]


@pytest.fixture(scope="module")
def own_redis() -> Iterator[Redis]:
    """A Redis for this file alone, with the recorded ranks."""
    with servers.redis(private=True) as server:
        conformance.load_ranks(server.url)
        yield server


@pytest.fixture(scope="module")
def beside_redis(own_redis: Redis, recorded_mysql: str) -> Iterator[Running]:
    """A service that takes ranks from that Redis."""
    with running(cache="off", database_url=recorded_mysql, redis_url=own_redis.url, redis_timeout="1") as service:
        yield service


@pytest.fixture(scope="module")
def players(recorded_mysql: str) -> list[int]:
    """The ids of all players, hidden ones included."""
    with closing(mariadbd.connect(recorded_mysql)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM users WHERE id > 2 ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


@pytest.fixture(scope="module")
def counted(recorded_mysql: str, players: list[int]) -> Ranks:
    """The ranks as the database counts them."""
    with running(cache="off", database_url=recorded_mysql) as service:
        return ranks(service.client, players)


def ranks(client: httpx2.Client, players: list[int]) -> Ranks:
    """Return the rank in the world and in the country, by player and mode."""

    def ask(player: int) -> dict[str, Any]:
        answer = client.get("/v1/get_player_info", params={"scope": "stats", "id": player})
        assert answer.status_code in (200, 404)
        stats: dict[str, Any] = answer.json().get("player", {}).get("stats", {})
        return stats

    with ThreadPoolExecutor(8) as pool:
        by_player = dict(zip(players, pool.map(ask, players), strict=True))
    return {
        (player, mode): (row["rank"], row["country_rank"])
        for player in players
        for mode, row in by_player[player].items()
    }


def test_from_redis_and_from_the_database(beside_redis: Running, counted: Ranks, players: list[int]) -> None:
    from_redis = ranks(beside_redis.client, players)
    assert from_redis == counted
    assert {mode for _, mode in counted} == {"0", "1", "2", "3", "4", "5", "6", "8"}
    assert sum(world > 0 for world, _ in counted.values()) > 100
    assert any(world > country > 0 for world, country in counted.values())


def test_from_every_database(recorded: Recorded, counted: Ranks, players: list[int]) -> None:
    assert ranks(recorded.client, players) == counted


def test_ranks_come_from_redis(beside_redis: Running, own_redis: Redis, counted: Ranks) -> None:
    # Otherwise the tests above would compare the database with itself.
    player, mode = next(key for key, (world, _) in counted.items() if world > 1)
    board = f"bancho:leaderboard:{mode}"
    with closing(RedisClient.from_url(own_redis.url)) as client:
        pp = client.zscore(board, str(player))
        client.zadd(board, {str(player): 1e9})
        try:
            assert ranks(beside_redis.client, [player])[player, mode][0] == 1
        finally:
            client.zadd(board, {str(player): pp or 0})


def test_stopped_and_started(beside_redis: Running, own_redis: Redis, counted: Ranks, players: list[int]) -> None:
    before = log(beside_redis)
    own_redis.stop()
    try:
        assert ranks(beside_redis.client, players) == counted
    finally:
        own_redis.start()
    assert ranks(beside_redis.client, players) == counted
    assert log(beside_redis) == (before[0] + 1, before[1] + 1)


def test_restarted_between_requests(beside_redis: Running, own_redis: Redis, players: list[int]) -> None:
    ranks(beside_redis.client, players)
    before = log(beside_redis)
    own_redis.stop()
    own_redis.start()
    ranks(beside_redis.client, players)
    assert log(beside_redis) == before


def test_hung(beside_redis: Running, own_redis: Redis, counted: Ranks, players: list[int]) -> None:
    before = log(beside_redis)
    some = players[:8]
    expected = {key: value for key, value in counted.items() if key[0] in some}
    own_redis.pause()
    try:
        assert ranks(beside_redis.client, some) == expected
    finally:
        own_redis.resume()
    # Redis now answers commands that have timed out: those answers must not reach anybody.
    for _ in range(3):
        assert ranks(beside_redis.client, players) == counted
    assert log(beside_redis) == (before[0] + 1, before[1] + 1)


def test_killed_while_asked(beside_redis: Running, own_redis: Redis, counted: Ranks, players: list[int]) -> None:
    with ThreadPoolExecutor(1) as other:
        asked = other.submit(ranks, beside_redis.client, players)
        own_redis.process.kill()
        assert asked.result() == counted
    own_redis.start()
    with closing(RedisClient.from_url(own_redis.url)) as client:
        client.flushall()
    conformance.load_ranks(own_redis.url)
    assert ranks(beside_redis.client, players) == counted


def test_few_connections_stay_after_an_outage(beside_redis: Running, own_redis: Redis, players: list[int]) -> None:
    own_redis.pause()
    try:
        with ThreadPoolExecutor(40) as many:
            list(many.map(lambda player: ranks(beside_redis.client, [player]), players[:40]))
    finally:
        own_redis.resume()
    ranks(beside_redis.client, players)
    with closing(RedisClient.from_url(own_redis.url)) as client:
        assert len(client.client_list()) - 1 <= CONNECTIONS


@pytest.fixture
def emptied(own_redis: Redis) -> Iterator[RedisClient]:
    """A client of that Redis, whose ranks are loaded anew at the end."""
    with closing(RedisClient.from_url(own_redis.url)) as client:
        yield client
        client.flushall()
    conformance.load_ranks(own_redis.url)


def lacking(service: Running) -> tuple[int, int]:
    """Return how often the log says that leaderboards are missing, and that they are there again."""
    text = service.process.log.read_text()
    return text.count("Redis lacks leaderboards"), len(re.findall("Redis has the leaderboards .* again", text))


@pytest.mark.parametrize("how", ["FLUSHALL", "SCRIPT FLUSH", "another type", "one mode", "countries"])
def test_emptied(
    beside_redis: Running,
    own_redis: Redis,
    emptied: RedisClient,
    counted: Ranks,
    players: list[int],
    how: str,
) -> None:
    before, gone, back = log(beside_redis), *lacking(beside_redis)
    assert ranks(beside_redis.client, players) == counted
    if how in ("FLUSHALL", "another type"):
        emptied.flushall()
    if how != "FLUSHALL":
        emptied.script_flush()
    keys = {key for key, _, _ in conformance.ranks()}
    if how == "another type":
        for key in keys:
            emptied.set(key, "x")
    elif how == "one mode":
        emptied.delete("bancho:leaderboard:4")
    elif how == "countries":
        emptied.delete(*(key for key in keys if key.count(":") == 3))
    assert ranks(beside_redis.client, players) == counted
    assert ranks(beside_redis.client, players) == counted
    said = how != "SCRIPT FLUSH"
    assert lacking(beside_redis) == (gone + said, back)
    emptied.flushall()
    conformance.load_ranks(own_redis.url)
    assert ranks(beside_redis.client, players) == counted
    assert lacking(beside_redis) == (gone + said, back + said)
    assert log(beside_redis) == before


def test_a_player_who_is_missing_on_a_leaderboard_has_no_rank(
    beside_redis: Running, emptied: RedisClient, counted: Ranks
) -> None:
    player = next(player for (player, mode), (world, _) in counted.items() if mode == "0" and world > 1)
    emptied.zrem("bancho:leaderboard:0", str(player))
    in_country = counted[player, "0"][1]
    assert ranks(beside_redis.client, [player])[player, "0"] == (0, in_country)
    stats = beside_redis.client.get(f"/v2/players/{player}/stats/0").json()["data"]
    assert (stats["rank"], stats["country_rank"]) == (None, in_country)


@contextmanager
def user(own_redis: Redis, *commands: str, keys: str = "*", base: str = "+@all") -> Iterator[str]:
    """The URL of that Redis for a user with these rights."""
    with closing(RedisClient.from_url(own_redis.url)) as client:
        client.acl_setuser(
            "reader", enabled=True, passwords="+geheim", keys=[keys], categories=[base], commands=commands
        )
        try:
            yield own_redis.url.replace("redis://", "redis://reader:geheim@")
        finally:
            client.acl_deluser("reader")


WITHOUT_SCRIPTS = ("-eval", "-evalsha", "-script")


def test_scripts_that_are_not_allowed(
    recorded_mysql: str, own_redis: Redis, emptied: RedisClient, counted: Ranks, players: list[int]
) -> None:
    with (
        user(own_redis, *WITHOUT_SCRIPTS) as url,
        # Rate limits need EVAL too.
        running(cache="off", rate_limit="0", database_url=recorded_mysql, redis_url=url) as service,
    ):
        assert ranks(service.client, players) == counted
        first = next(player for (player, mode), (world, _) in counted.items() if mode == "0" and world > 1)
        emptied.zadd("bancho:leaderboard:0", {str(first): 1e9})
        assert ranks(service.client, [first])[first, "0"][0] == 1
        emptied.flushall()
        assert ranks(service.client, players) == counted
        conformance.load_ranks(own_redis.url)
        output = service.process.log.read_text()
        # Redis 7.2 and newer name the user.
        refused = r"\((?:this user|User reader) has no permissions to run the 'eval' command"
        assert len(re.findall(f"Redis refuses EVAL {refused}", output)) == 1
        assert re.search(f"Redis, WITHOUT EVAL {refused}", output)
        assert log(service) == (0, 0)
        # It is asked with a script again as soon as that is allowed.
        emptied.acl_setuser("reader", enabled=True, commands=["+eval"])
        emptied.config_resetstat()
        service.client.advance(61)
        assert ranks(service.client, players) == counted
        assert "cmdstat_eval" in emptied.info("commandstats")


def test_scripts_that_do_not_exist(recorded_mysql: str, counted: Ranks, players: list[int]) -> None:
    names = [word for name in ("EVAL", "EVALSHA", "SCRIPT") for word in ("--rename-command", name, "")]
    with servers.redis(options=names) as server:
        conformance.load_ranks(server.url)
        urls = {"database_url": recorded_mysql, "redis_url": server.url}
        # Rate limits need EVAL too.
        with running(cache="off", rate_limit="0", **urls) as service:
            assert ranks(service.client, players) == counted
            assert log(service) == (0, 0)
            health = service.client.get("/health/ready").json()["neighbours"]["redis"]
            assert health == {"state": "up", "meanwhile": "Redis refuses EVAL, ranks are asked for without it"}
            output = service.process.log.read_text()
            assert output.count("Redis refuses EVAL (unknown command 'EVAL')") == 1


@pytest.mark.parametrize(
    ("commands", "keys", "base", "reason"),
    [
        (["-zrevrank"], "*", "+@all", "ZREVRANK"),
        ([*WITHOUT_SCRIPTS, "-zrevrank"], "*", "+@all", "ZREVRANK"),
        ([], "other:*", "+@all", "key"),
        ([], "bancho:leaderboard:?", "+@all", "key"),
        (["+ping"], "*", "-@all", "ZREVRANK"),
    ],
)
def test_what_ranks_need_is_not_allowed(
    recorded_mysql: str,
    own_redis: Redis,
    counted: Ranks,
    players: list[int],
    commands: list[str],
    keys: str,
    base: str,
    reason: str,
) -> None:
    with (
        user(own_redis, *commands, keys=keys, base=base) as url,
        running(cache="off", database_url=recorded_mysql, redis_url=url) as service,
    ):
        some = {key: value for key, value in counted.items() if key[0] in players[:16]}
        assert ranks(service.client, players[:16]) == some
        output = service.process.log.read_text()
        assert re.search(rf"Redis does not answer \(.*{reason}.*\): counting ranks", output)
        assert re.search(rf"Redis NOT REACHED, counting in the database \(.*{reason}", output)
        assert log(service) == (1, 0)
        health = service.client.get("/health/ready").json()["neighbours"]["redis"]
        assert health == {"state": "down", "meanwhile": "ranks are counted in the database"}


@pytest.mark.parametrize("commands", [["-exists"], ["-exists", *WITHOUT_SCRIPTS]])
def test_whether_a_leaderboard_exists_need_not_be_known(
    recorded_mysql: str, own_redis: Redis, counted: Ranks, players: list[int], commands: list[str]
) -> None:
    with (
        user(own_redis, *commands) as url,
        running(cache="off", database_url=recorded_mysql, redis_url=url) as service,
    ):
        assert ranks(service.client, players) == counted
        assert log(service) == (0, 0)


@pytest.mark.parametrize("login", ["user:geheim@", ":geheim@", "default:geheim@"])
def test_wrong_password(
    recorded_mysql: str, own_redis: Redis, counted: Ranks, players: list[int], login: str
) -> None:
    with closing(RedisClient.from_url(own_redis.url)) as client:
        client.config_set("requirepass", "right")
        try:
            url = own_redis.url.replace("redis://", f"redis://{login}")
            with running(cache="off", database_url=recorded_mysql, redis_url=url) as service:
                assert ranks(service.client, players[:16]) == {
                    k: v for k, v in counted.items() if k[0] in players[:16]
                }
                assert log(service) == (1, 0)
                assert re.search(
                    "Redis NOT REACHED.*(invalid username-password|Password)", service.process.output()
                )
                assert "geheim" not in service.process.output()
        finally:
            client.config_set("requirepass", "")


def log(service: Running) -> tuple[int, int]:
    """Return how often the log says that Redis went down, and that it came back."""
    text = service.process.log.read_text()
    return text.count("Redis does not answer"), text.count("Redis answers again")


# Ids whose order as text is another one than as numbers. Of each ten players, 4 and 7 are hidden.
IDS = [3, 10, 11, 100, 101, 1000, 2_147_483_647, 1_000_000_000, *range(20, 60), *range(200, 230)]
COUNTRIES = ["de", "us", "xx", "fr"]
Pps = dict[int, dict[int, int]]
# Many players have the same pp in mode 0, some in mode 4, few in mode 8.
MOST_PP = {0: 4, 4: 40, 8: 2**32 - 1}


def tied(url: str) -> list[RankedPlayer]:
    """Fill an empty world with those players. Return the visible ones."""
    random = Random(5)
    players = [
        RankedPlayer(
            id, random.choice(COUNTRIES), {mode: random.randint(0, most) for mode, most in MOST_PP.items()}
        )
        for id in IDS
    ]
    users = ", ".join(
        f"({id}, 'p{id}', 'p{id}', 'p{id}', '', '{country}', {2 if id % 10 in (4, 7) and id < 2**31 - 1 else 3})"
        for id, country, _ in players
    )
    stats = ", ".join(f"({id}, {mode}, {pp})" for id, _, pps in players for mode, pp in pps.items())
    statements = [
        "DELETE FROM users",
        "DELETE FROM stats",
        f"INSERT INTO users (id, name, safe_name, email, pw_bcrypt, country, priv) VALUES {users}",
        f"INSERT INTO stats (id, mode, pp) VALUES {stats}",
    ]
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()
    else:
        mariadbd.execute(url, *statements)
    return [
        player._replace(pp={mode: pp for mode, pp in player.pp.items() if pp})
        for player in players
        if player.id % 10 not in (4, 7) or player.id == 2**31 - 1
    ]


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def tied_world(request: pytest.FixtureRequest, mariadb: MariaDB, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a copy of the recorded world that a test may change."""
    folder: Path = tmp_path_factory.mktemp("ranks")
    url = f"sqlite:///{folder / 'world.sqlite'}" if request.param == "sqlite" else mariadb.database("tied")
    conformance.load(url)
    return url


async def one_by_one(database: Database, players: list[RankedPlayer]) -> dict[int, Any]:
    """Return the ranks of players, counted for each of them alone."""
    return {player.id: (await CountedRanks(database).of_players([player]))[player.id] for player in players}


def test_of_some_players_as_of_each_of_them(tied_world: str) -> None:
    async def test() -> None:
        players = tied(tied_world)
        random = Random(6)
        async with connected(Counting(tied_world)) as database:
            expected = await one_by_one(database, players)
            # The best of all, in the order that Redis has too.
            first = max(players, key=lambda player: (player.pp.get(0, 0), str(player.id)))
            assert expected[first.id][0].world == 1
            for number in (2, 3, 7, 20, len(players)):
                for some in (random.sample(players, number) for _ in range(6)):
                    database.statements.clear()
                    counted = await CountedRanks(database).of_players(some)
                    assert counted == {player.id: expected[player.id] for player in some}
                    assert "player_ranks" not in database.statements
                    assert len(database.statements) <= len(MOST_PP)

    asyncio.run(test())


def test_of_the_recorded_players_as_of_each_of_them(recorded_url: str) -> None:
    async def test() -> None:
        pps: Pps = {}
        for row in table("stats"):
            if row["pp"]:
                pps.setdefault(row["id"], {})[row["mode"]] = row["pp"]
        players = [
            RankedPlayer(row["id"], row["country"], pps.get(row["id"], {}))
            for row in table("users")
            if row["priv"] & 1
        ]
        async with connected(Database(recorded_url)) as database:
            counted = await CountedRanks(database).of_players(players)
            assert counted == await one_by_one(database, players)
            assert sum(len(ranks) for ranks in counted.values()) > 100

    asyncio.run(test())


def test_only_what_redis_lacks_is_counted(
    own_redis: Redis, emptied: RedisClient, recorded_mysql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    players = [
        RankedPlayer(row["id"], row["country"], {0: 1, 4: 1, 8: 1})
        for row in table("users")
        if row["priv"] & 3 == 3 and row["id"] > 2
    ]
    asked: list[tuple[int, set[str]]] = []
    emptied.delete("bancho:leaderboard:4:de")

    async def counted(_: CountedRanks, mode: int, some: list[RankedPlayer]) -> dict[int, Any]:
        asked.append((mode, {player.country for player in some}))
        return {}

    async def test() -> None:
        monkeypatch.setattr(CountedRanks, "_counted", counted)
        async with connected(Database(recorded_mysql)) as database:
            ranks = RedisRanks(database, own_redis.url, timeout=5)
            await ranks.of_players(players)
            await ranks.close()

    asyncio.run(test())
    assert len([player for player in players if player.country == "de"]) > 1
    existing = {key for key, _, _ in conformance.ranks()}
    lacking = {
        mode: {
            player.country for player in players if f"bancho:leaderboard:{mode}:{player.country}" not in existing
        }
        for mode in (0, 4, 8)
    }
    lacking[4].add("de")
    assert asked == [(mode, countries) for mode, countries in lacking.items() if countries]
