"""API keys: the forms of the header, what a key allows, and the limit on wrong ones."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.request.auth import Caller, key_in
from domain.accounts import KeyOwner
from domain.errors import APIError, Unavailable
from storage.api_keys import MAX_LEARNING, APIKeys, network
from storage.database.database import Database
from storage.key_failures import KeyFailures
from tests.conftest import ADMIN, PLAYER, RESTRICTED, UNVERIFIED, Playground, playground, signed
from tests.support import pp_engine

PIXEL = bytes.fromhex("47494638396101000100800000ff00000000002c00000000010001000002024401003b")

READS = {"calculate_pp": "/v1/calculate_pp?id=78", "calculate_pp_batch": "/v1/calculate_pp_batch?id=78"}
BODIES: dict[str, Any] = {"set_player_info": {"json": {"play_style": 1}}, "set_avatar": {"content": PIXEL}}
HANDLERS = ["calculate_pp", "calculate_pp_batch", "get_friends", "set_player_info", "set_avatar"]
ANSWERING = [pp_engine.param(handler, needed=handler.startswith("calculate")) for handler in HANDLERS]


def ask(world: Playground, handler: str, header: str | None) -> httpx2.Response:
    headers = {} if header is None else {b"Authorization": header.encode("latin-1")}
    method = "POST" if handler in BODIES else "GET"
    path = READS.get(handler, f"/v1/{handler}")
    return world.client.request(method, path, headers=headers, **BODIES.get(handler, {}))


@pytest.mark.parametrize("handler", ANSWERING)
@pytest.mark.parametrize("header", [f"Bearer {ADMIN}", f"bearer {ADMIN}", f"BEARER   {ADMIN}", ADMIN])
def test_a_key_after_bearer_in_any_case_or_alone(world: Playground, handler: str, header: str) -> None:
    assert ask(world, handler, header).status_code == 200


@pytest.mark.parametrize("handler", HANDLERS)
@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer nope",
        f"Basic {ADMIN}",
        ADMIN.upper(),
        f"Bearer {ADMIN[:-1]}",
        f"Bearer {ADMIN}x",
        f"Bearer {ADMIN} {ADMIN}",
        "Bearer " + "x" * 5000,
        "Bearer ü" + ADMIN[1:],
        "Bearer ' OR 1=1 --",
        "Bearer %",
    ],
)
def test_every_other_key_is_refused(world: Playground, handler: str, header: str | None) -> None:
    answer = ask(world, handler, header)

    if handler.startswith("calculate"):
        assert (answer.status_code, answer.json()) == (401, {"status": "Invalid API key."})
    elif not header:
        assert (answer.status_code, answer.json()) == (400, {"status": "Must provide authorization token."})
    else:
        assert (answer.status_code, answer.json()) == (401, {"status": "Unknown authorization token."})


@pytest.mark.parametrize("handler", ["get_friends", "calculate_pp", "set_avatar"])
def test_a_key_is_compared_byte_by_byte(on_mysql: Playground, handler: str) -> None:
    # The column's collation ignores case and trailing spaces.
    on_mysql.sql("UPDATE users SET api_key = 'ABC ' WHERE id = 6")

    assert ask(on_mysql, handler, "Bearer abc").status_code == 401
    assert ask(on_mysql, handler, "Bearer ABC").status_code != 401


@pytest.mark.parametrize("handler", ANSWERING)
def test_restricted_players_may_read_and_not_write(world: Playground, handler: str) -> None:
    answer = ask(world, handler, RESTRICTED)

    if handler in BODIES:
        assert (answer.status_code, answer.json()) == (403, {"status": "Insufficient privileges."})
    else:
        assert answer.status_code == 200


def test_an_avatar_needs_a_verified_player_and_a_profile_does_not(world: Playground) -> None:
    assert ask(world, "set_avatar", UNVERIFIED).status_code == 403
    assert ask(world, "set_player_info", UNVERIFIED).status_code == 200
    assert ask(world, "set_avatar", PLAYER).status_code == 200


def test_parameters_are_checked_before_the_key(world: Playground) -> None:
    answer = world.client.get("/v1/calculate_pp?id=abc")

    assert (answer.status_code, answer.json()["detail"][0]["type"]) == (422, "int_parsing")


@pytest.mark.parametrize(
    ("handler", "method", "allowed"), [("get_friends", "POST", "GET"), ("set_avatar", "GET", "PUT")]
)
def test_other_methods_are_refused(on_sqlite: Playground, handler: str, method: str, allowed: str) -> None:
    answer = on_sqlite.client.request(method, f"/v1/{handler}", headers=signed(ADMIN))

    assert answer.status_code == 405
    assert allowed in answer.headers["Allow"]


def test_too_many_wrong_keys(tmp_path: Path) -> None:
    with playground(tmp_path, f"sqlite:///{tmp_path / 'world.sqlite'}", key_failures="3") as here:
        assert ask(here, "get_friends", PLAYER).status_code == 200
        first = [ask(here, "calculate_pp", f"Bearer wrong-{number}").status_code for number in range(3)]
        answer = ask(here, "calculate_pp", "Bearer wrong-3")
        known = ask(here, "get_friends", PLAYER)
        output = here.process.output()

    assert first == [401, 401, 401]
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert answer.json()["status"].startswith("Too many wrong API keys.")
    assert known.status_code == 200
    assert PLAYER not in output
    assert "wrong-" not in output


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class CountingDatabase(Database):
    """Has one key, and counts its look-ups."""

    def __init__(self) -> None:
        self.look_ups = 0

    async def one(self, *_: Any, **values: Any) -> Any:
        self.look_ups += 1
        return KeyOwner(12, 3, PLAYER) if values["key"].lower() == PLAYER else None


def owner(keys: APIKeys, key: str, address: str = "192.0.2.1") -> int:
    """Return the id of the key's owner, 0 for a wrong key, or minus the seconds to wait after too many of them."""
    try:
        account = asyncio.run(keys.owner(key, address))
    except APIError as refusal:
        return -(refusal.retry_after or 0)
    return account.id if account else 0


def test_look_ups_are_cached_for_a_few_seconds() -> None:
    database, clock = CountingDatabase(), Clock()
    keys = APIKeys(database, KeyFailures(100, clock=clock), clock=clock)

    assert [owner(keys, PLAYER), owner(keys, PLAYER), owner(keys, "x"), owner(keys, "x")] == [12, 12, 0, 0]
    assert database.look_ups == 2
    clock.now += 6
    assert [owner(keys, PLAYER), owner(keys, "x")] == [12, 0]
    assert database.look_ups == 4


def test_an_outdated_key_locks_out_nobody_else_at_its_address() -> None:
    clock = Clock()
    keys = APIKeys(CountingDatabase(), KeyFailures(3, clock=clock), clock=clock)

    assert [owner(keys, "outdated") for _ in range(5)] == [0, 0, 0, -60, -60]
    clock.now += 30
    assert [owner(keys, "outdated"), owner(keys, "other"), owner(keys, PLAYER)] == [-30, 0, 12]
    clock.now += 31
    assert owner(keys, "outdated") == 0


def test_an_address_is_limited_whatever_keys_it_tries() -> None:
    keys = APIKeys(CountingDatabase(), KeyFailures(3, clock=Clock()), clock=Clock())

    assert [owner(keys, f"wrong-{number}") for number in range(5)] == [0, 0, 0, -60, -60]
    assert owner(keys, "wrong-9", "192.0.2.2") == 0
    assert owner(keys, PLAYER) == -60


def test_keys_are_learned_in_the_background() -> None:
    database, clock = CountingDatabase(), Clock()
    keys = APIKeys(database, KeyFailures(3, clock=clock), clock=clock)

    async def learn(*learned: str) -> int:
        """Return how many look-ups these keys take, each of which is learned twice."""
        before = database.look_ups
        for key in learned * 2:
            keys.learn(key)
        assert database.look_ups == before
        for _ in range(5):
            await asyncio.sleep(0)
        return database.look_ups - before

    async def run() -> None:
        assert await learn(PLAYER, "wrong") == 2
        assert (keys.known(PLAYER), keys.known("wrong")) == (12, None)
        # Wrong ones are remembered too, and are no failures.
        assert await learn(PLAYER, "wrong") == 0
        assert not keys._failures._counts
        # Before it is forgotten, it is looked up again.
        clock.now += 6
        assert await learn(PLAYER) == 1
        clock.now += 64
        assert keys.known(PLAYER) == 12
        assert await learn(*(f"wrong-{number}" for number in range(100))) == MAX_LEARNING
        await keys.close()

    asyncio.run(run())


def test_a_key_is_learned_once_the_database_answers_again() -> None:
    class Failing(CountingDatabase):
        down = True

        async def one(self, *query: Any, **values: Any) -> Any:
            if self.down:
                raise Unavailable("down")
            return await super().one(*query, **values)

    async def run() -> None:
        database = Failing()
        keys = APIKeys(database, KeyFailures(3))
        for down, account in ((True, None), (False, 12)):
            database.down = down
            keys.learn(PLAYER)
            for _ in range(5):
                await asyncio.sleep(0)
            assert keys.known(PLAYER) == account

    asyncio.run(run())


def test_memory_is_bounded() -> None:
    keys = APIKeys(CountingDatabase(), KeyFailures(3, clock=Clock()), size=10, clock=Clock())

    async def guess() -> None:
        for number in range(12_000):
            await keys.owner(f"wrong-{number}", f"198.51.{number >> 8}.{number & 255}")

    asyncio.run(guess())

    assert len(keys._cached) == 10
    assert len(keys._failures._counts) == 10_000


def test_an_ipv6_network_counts_as_one_address() -> None:
    assert network("2001:db8::1") == network("2001:db8::ffff:1") != network("2001:db8:0:1::1")
    assert network("::ffff:192.0.2.1") == network("192.0.2.1") == "192.0.2.1"
    assert network("unix:") == "unix:"


def test_keys_do_not_show() -> None:
    assert PLAYER not in repr(Caller(PLAYER, "192.0.2.1"))
    assert PLAYER not in repr(KeyOwner(12, 3, PLAYER))


def test_key_in() -> None:
    assert [key_in(f"Bearer {ADMIN}"), key_in(ADMIN), key_in(f"Basic {ADMIN}")] == [ADMIN, ADMIN, f"Basic {ADMIN}"]
