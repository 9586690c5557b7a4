"""How often a client may ask: what it is told, when it is refused, and who is counted as one."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from api.middleware.rate_limit import RateLimitMiddleware
from config.settings import Settings
from domain.accounts import KeyOwner
from storage.api_keys import APIKeys
from storage.rate_limit import MemoryRateLimiter, RateLimitState, RedisRateLimiter
from tests.conftest import ADMIN, Playground, running, service, signed
from tests.support import conformance, servers
from tests.support.servers import Redis

COUNT = "/v1/get_player_count"
# From here on the tests' own address, which is this machine's, is limited like any other.
NOBODY = {"rate_limit_exempt": ""}
SLOW = {**NOBODY, "rate_limit": "0.5", "rate_limit_burst": "3"}
REFUSED = "Too many requests: 3 may come at once, and one in 2 seconds after that. Try again in 2 seconds."


def standing(answer: httpx2.Response) -> tuple[str, ...]:
    """The three headers."""
    return tuple(answer.headers[f"ratelimit-{name}"] for name in ("limit", "remaining", "reset"))


@pytest.fixture(scope="module")
def slow(recorded_sqlite: str) -> Iterator[httpx2.Client]:
    """A service behind a proxy on this machine, which tells it for whom it asks."""
    with service(database_url=recorded_sqlite, **SLOW) as client:
        yield client


def come_from(address: str, **more: str) -> dict[str, str]:
    return {"X-Forwarded-For": address, **more}


def test_a_scan_of_every_match_passes_at_once(recorded_sqlite: str) -> None:
    with service(database_url=recorded_sqlite, **NOBODY) as client, ThreadPoolExecutor(16) as many:
        paths = [f"/v1/get_match?id={number}" for number in range(64)]
        paths += [f"/v1/get_mappool?id={number}" for number in range(1, 25)]
        answers = list(many.map(client.get, paths))
        assert {answer.status_code for answer in answers} <= {200, 404}
        assert standing(client.get(COUNT))[0] == "300"


def test_one_too_many_is_told_when_to_come_back_and_that_is_true(slow: httpx2.Client) -> None:
    who = come_from("192.0.2.1", Origin="https://example.org")
    answers = [slow.get(COUNT, headers=who) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [standing(answer) for answer in answers] == [
        ("3", "2", "2"),
        ("3", "1", "4"),
        ("3", "0", "6"),
        ("3", "0", "6"),
    ]
    refused = answers[-1]
    assert refused.json() == {"status": REFUSED}
    assert refused.headers["retry-after"] == "2"
    assert refused.headers["content-type"] == "application/json"
    assert refused.headers["access-control-allow-origin"] == "*"
    assert "RateLimit-Remaining" in refused.headers["access-control-expose-headers"]
    assert "x-request-id" in refused.headers
    time.sleep(int(refused.headers["retry-after"]))
    assert slow.get(COUNT, headers=who).status_code == 200
    assert slow.get(COUNT, headers=who).status_code == 429


def test_the_second_version_says_it_in_its_own_words(slow: httpx2.Client) -> None:
    who = come_from("192.0.2.2")
    answers = [slow.get("/api/v2/server/stats", headers=who) for _ in range(4)]
    assert answers[-1].status_code == 429
    assert answers[-1].json() == {"status": "error", "error": REFUSED}


def test_what_is_refused_for_other_reasons_counts_and_preflights_do_not(slow: httpx2.Client) -> None:
    who = come_from("192.0.2.3", Origin="https://example.org")
    preflight = {**who, "Access-Control-Request-Method": "GET"}
    assert {slow.options(COUNT, headers=preflight).status_code for _ in range(9)} == {204}
    assert [slow.get("/v1/nothing_here", headers=who).status_code for _ in range(4)] == [404, 404, 404, 429]
    assert {slow.get(path, headers=who).status_code for path in ("/health/live", "/metrics")} & {429} == set()


def test_a_body_that_is_not_read_ends_well(slow: httpx2.Client) -> None:
    who = come_from("192.0.2.4")
    answers = [slow.post("/v1/set_avatar", headers=who, content=b"x" * 100_000) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [400, 400, 400, 429]


def test_one_client_of_ipv6_is_a_network(slow: httpx2.Client) -> None:
    answers = [slow.get(COUNT, headers=come_from(f"2001:db8::{number}")) for number in range(1, 5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert slow.get(COUNT, headers=come_from("2001:db8:0:1::1")).status_code == 200


def test_a_client_that_is_no_proxy_does_not_become_another_by_saying_so(recorded_sqlite: str) -> None:
    with service(database_url=recorded_sqlite, trusted_proxies="192.0.2.1", **SLOW) as client:
        names = ("X-Forwarded-For", "X-Real-IP", "CF-Connecting-IP", "Forwarded", "True-Client-IP")
        codes = [client.get(COUNT, headers={name: "198.51.100.7"}).status_code for name in names]
        assert codes == [200, 200, 200, 429, 429]


def test_wrong_keys_are_no_buckets_and_a_right_one_is(on_sqlite: Playground) -> None:
    url = f"sqlite:///{on_sqlite.data.parent / 'world.sqlite'}"
    with running(database_url=url, data_directory=str(conformance.WORLD), **SLOW) as (client, process):
        right = {number: come_from(f"192.0.2.{number}", **signed(ADMIN)) for number in (1, 2, 3, 4, 5)}
        # The first counts for the address, because nobody had asked about the key yet.
        first = client.get("/get_friends", headers=right[1])
        assert standing(client.get(COUNT, headers=come_from("192.0.2.1"))) == ("3", "1", "4")
        codes = [client.get(COUNT, headers=right[number]).status_code for number in (2, 3, 4, 5)]
        wrong = [come_from("192.0.2.9", **signed(f"wrong-{number}")) for number in range(4)]
        guesses = [client.get("/get_friends", headers=each).status_code for each in wrong]
        output = process.output()
    assert first.status_code == 200
    assert codes == [200, 200, 200, 429]
    assert guesses == [401, 401, 401, 429]
    assert ADMIN not in output
    assert "wrong-" not in output
    assert output.count("asks too often and is refused (429)") == 1


def test_this_machine_is_not_limited_unless_it_asks_for_another(recorded_sqlite: str) -> None:
    exempt = {**SLOW, "rate_limit_exempt": "127.0.0.0/8,::1,198.51.100.0/24"}
    with service(database_url=recorded_sqlite, **exempt) as client:
        for who in ({}, come_from("198.51.100.7"), come_from("::ffff:198.51.100.7")):
            answers = [client.get(COUNT, headers=who) for _ in range(5)]
            assert {answer.status_code for answer in answers} == {200}
            assert "ratelimit-limit" not in answers[0].headers
        for who in (come_from("192.0.2.1"), come_from("127.0.0.1, 192.0.2.2")):
            codes = [client.get(COUNT, headers=who).status_code for _ in range(4)]
            assert codes == [200, 200, 200, 429]


def test_turned_off(recorded_sqlite: str) -> None:
    with service(database_url=recorded_sqlite, **{**SLOW, "rate_limit": "0"}) as client:
        answers = [client.get(COUNT) for _ in range(9)]
    assert {answer.status_code for answer in answers} == {200}
    assert "ratelimit-limit" not in answers[0].headers


def workers_that_answer(url: str, headers: dict[str, str], times: int) -> list[int]:
    """The codes of requests that each come in a connection of their own, and so to either worker."""
    with ThreadPoolExecutor(8) as many:
        asked = [
            many.submit(httpx2.get, url, headers=headers, trust_env=False, verify=False) for _ in range(times)
        ]
        return sorted(each.result().status_code for each in asked)


def test_two_workers_count_together_in_redis_and_each_for_itself_without(recorded_sqlite: str) -> None:
    with servers.redis(private=True) as redis:
        settings = {**NOBODY, "rate_limit": "0.01", "rate_limit_burst": "20", "redis_url": redis.url}
        # What was written is read below, as far as it is kept.
        settings["access_log"] = "off"
        with running("--workers", "2", database_url=recorded_sqlite, **settings) as (client, process):
            url = f"{client.base_url}{COUNT}"
            assert workers_that_answer(url, come_from("192.0.2.1"), 30) == [200] * 20 + [429] * 10
            redis.stop()
            codes = workers_that_answer(url, come_from("192.0.2.2"), 60)
            assert 20 <= codes.count(200) <= 40
            assert codes.count(200) + codes.count(429) == 60
            away = process.output().count("Redis does not answer")
            assert 1 <= away <= 2
            redis.start()
            time.sleep(1.1)
            workers_that_answer(url, come_from("192.0.2.3"), 20)
            assert workers_that_answer(url, come_from("192.0.2.4"), 30) == [200] * 20 + [429] * 10
            assert "Traceback" not in process.output()


class Clock:
    """Microseconds that stand still until they are moved."""

    def __init__(self) -> None:
        self.now = 10**12

    def __call__(self) -> int:
        return self.now


def test_a_bucket_in_memory_gives_what_it_holds_and_refills() -> None:
    clock = Clock()
    limits = MemoryRateLimiter(60, 300, clock=clock)

    async def take(times: int) -> list[RateLimitState]:
        return [await limits.take("a") for _ in range(times)]

    lefts = asyncio.run(take(301))
    assert [left.remaining for left in lefts] == [*range(299, -1, -1), 0]
    assert [left.wait for left in lefts] == [0] * 300 + [16667]
    clock.now += 16666
    assert asyncio.run(take(1))[0].wait == 1
    clock.now += 1
    assert asyncio.run(take(1))[0].wait == 0
    clock.now += 10_000_000
    assert asyncio.run(take(1)) == [RateLimitState(299, 16667, 0)]


def test_memory_is_bounded() -> None:
    limits = MemoryRateLimiter(1, 1, size=10, clock=Clock())

    async def fill() -> None:
        for number in range(100):
            await limits.take(str(number))

    asyncio.run(fill())
    assert list(limits._full) == [str(number) for number in range(90, 100)]


def test_redis_forgets_full_buckets_and_survives_odd_values(redis: Redis) -> None:
    async def ask() -> None:
        limits = RedisRateLimiter(redis.url, MemoryRateLimiter(100, 3), timeout=2)
        try:
            lefts = await asyncio.gather(*[limits.take("odd") for _ in range(5)])
            assert sum(left.wait == 0 for left in lefts) == 3
            assert [left.remaining for left in lefts] == [2, 1, 0, 0, 0]
            await asyncio.sleep(0.05)
            assert not await limits._redis.exists("apidot:limit:odd")
            # The clock of Redis was put back, and something else wrote there.
            for value in ("9" * 16, "not a number"):
                await limits._redis.set("apidot:limit:odd", value, px=5000)
                left = await limits.take("odd")
                assert left.wait <= 10_000
            await limits._redis.delete("apidot:limit:odd")
            await limits._redis.script_flush()
            assert (await limits.take("odd")).remaining == 2
        finally:
            await limits.close()

    asyncio.run(ask())


def test_redis_that_hangs_holds_up_one_request_a_second() -> None:
    with servers.redis(private=True) as redis:

        async def ask() -> list[float]:
            limits = RedisRateLimiter(redis.url, MemoryRateLimiter(100, 100), timeout=1)
            await limits.take("x")
            redis.pause()
            took = []
            for _ in range(20):
                start = time.monotonic()
                assert (await limits.take("x")).wait == 0
                took.append(time.monotonic() - start)
            redis.resume()
            await limits.close()
            return took

        took = asyncio.run(ask())
    assert took[0] > 0.9
    assert max(took[1:]) < 0.9


def test_whose_bucket_an_address_has() -> None:
    async def nothing(*_: object) -> None:
        """Answers nothing."""

    subject = RateLimitMiddleware(nothing, Settings().unlimited)._subject
    assert subject("2001:db8::1") == subject("2001:db8::ffff:1") == "2001:db8::/64"
    assert subject("::ffff:192.0.2.1") == subject("192.0.2.1") == "192.0.2.1"
    assert [subject(each) for each in ("127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "")] == [None] * 5
    assert subject("odd") == "odd"


def test_a_key_is_known_for_a_minute_after_it_was_looked_up() -> None:
    class OneKey:
        async def one(self, *_: object, **values: str) -> KeyOwner | None:
            return KeyOwner(12, 3, "right") if values["key"] == "right" else None

    now = [1000.0]
    keys = APIKeys(OneKey(), failures=9, clock=lambda: now[0])  # type: ignore[arg-type]
    assert keys.known("right") is None
    asyncio.run(keys.owner("right", "192.0.2.1"))
    asyncio.run(keys.owner("wrong", "192.0.2.1"))
    assert [keys.known(key) for key in ("right", "wrong", "other")] == [12, None, None]
    now[0] += 64.9
    assert keys.known("right") == 12
    now[0] += 1
    assert keys.known("right") is None
