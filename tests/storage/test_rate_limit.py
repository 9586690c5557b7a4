"""Rate limits: the headers, the 429, and which requests share a bucket."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from redis.asyncio import Redis as Client

from api.middleware.rate_limit import RateLimitMiddleware
from config.settings import Settings
from config.types import Networks
from domain.accounts import KeyOwner
from storage.api_keys import APIKeys
from storage.key_failures import KeyFailures
from storage.rate_limit import RateLimiter, RateLimitState, RedisRateLimiter
from tests.conftest import ADMIN, Playground, ServiceClient, running, service, signed
from tests.support import conformance, servers
from tests.support.servers import Redis

COUNT = "/v1/get_player_count"
# Limits the address of the tests too, which is exempt by default.
NO_EXEMPTION = {"rate_limit_exempt": ""}
SLOW = {**NO_EXEMPTION, "rate_limit": "0.5", "rate_limit_burst": "3"}
REFUSED = "Too many requests: 3 may come at once, and one in 2 seconds after that. Try again in 2 seconds."


def limit_headers(answer: httpx2.Response) -> tuple[str, ...]:
    return tuple(answer.headers[f"ratelimit-{name}"] for name in ("limit", "remaining", "reset"))


@pytest.fixture(scope="module")
def slow(recorded_sqlite: str) -> Iterator[ServiceClient]:
    """A client of a service that trusts its X-Forwarded-For, like a proxy on this machine."""
    with service(database_url=recorded_sqlite, **SLOW) as client:
        yield client


def from_address(address: str, **more: str) -> dict[str, str]:
    return {"X-Forwarded-For": address, **more}


def test_requests_for_every_match_pass_at_once(recorded_sqlite: str) -> None:
    with service(database_url=recorded_sqlite, **NO_EXEMPTION) as client, ThreadPoolExecutor(16) as many:
        paths = [f"/v1/get_match?id={number}" for number in range(64)]
        paths += [f"/v1/get_mappool?id={number}" for number in range(1, 25)]
        answers = list(many.map(client.get, paths))
        assert {answer.status_code for answer in answers} <= {200, 404}
        assert limit_headers(client.get(COUNT))[0] == "300"


def test_a_refusal_says_when_to_retry(slow: ServiceClient) -> None:
    headers = from_address("192.0.2.1", Origin="https://example.org")
    answers = [slow.get(COUNT, headers=headers) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [limit_headers(answer) for answer in answers] == [
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
    slow.advance(int(refused.headers["retry-after"]))
    assert slow.get(COUNT, headers=headers).status_code == 200
    assert slow.get(COUNT, headers=headers).status_code == 429


def test_the_second_version_has_its_own_envelope(slow: ServiceClient) -> None:
    headers = from_address("192.0.2.2")
    answers = [slow.get("/api/v2/server/stats", headers=headers) for _ in range(4)]
    assert answers[-1].status_code == 429
    assert answers[-1].json() == {"status": "error", "error": REFUSED}


def test_errors_count_and_preflights_do_not(slow: ServiceClient) -> None:
    headers = from_address("192.0.2.3", Origin="https://example.org")
    preflight = {**headers, "Access-Control-Request-Method": "GET"}
    assert {slow.options(COUNT, headers=preflight).status_code for _ in range(9)} == {204}
    assert [slow.get("/v1/nothing_here", headers=headers).status_code for _ in range(4)] == [404, 404, 404, 429]
    assert {slow.get(path, headers=headers).status_code for path in ("/health/live", "/metrics")} & {429} == set()


def test_a_refusal_of_a_request_with_a_body(slow: ServiceClient) -> None:
    headers = from_address("192.0.2.4")
    answers = [slow.post("/v1/set_avatar", headers=headers, content=b"x" * 100_000) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [400, 400, 400, 429]


def test_an_ipv6_network_shares_a_bucket(slow: ServiceClient) -> None:
    answers = [slow.get(COUNT, headers=from_address(f"2001:db8::{number}")) for number in range(1, 5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert slow.get(COUNT, headers=from_address("2001:db8:0:1::1")).status_code == 200


def test_forwarding_headers_of_untrusted_clients_are_ignored(recorded_sqlite: str) -> None:
    with service(database_url=recorded_sqlite, trusted_proxies="192.0.2.1", **SLOW) as client:
        names = ("X-Forwarded-For", "X-Real-IP", "CF-Connecting-IP", "Forwarded", "True-Client-IP")
        codes = [client.get(COUNT, headers={name: "198.51.100.7"}).status_code for name in names]
        assert codes == [200, 200, 200, 429, 429]


def test_a_right_key_has_a_bucket_and_wrong_ones_have_none(on_sqlite: Playground) -> None:
    url = f"sqlite:///{on_sqlite.data.parent / 'world.sqlite'}"
    with running(database_url=url, data_directory=str(conformance.WORLD), **SLOW) as (client, process):
        right = {number: from_address(f"192.0.2.{number}", **signed(ADMIN)) for number in (1, 2, 3, 4, 5)}
        # The first request counts for the address, because the key had not been looked up yet.
        first = client.get("/get_friends", headers=right[1])
        assert limit_headers(client.get(COUNT, headers=from_address("192.0.2.1"))) == ("3", "1", "4")
        codes = [client.get(COUNT, headers=right[number]).status_code for number in (2, 3, 4, 5)]
        wrong = [from_address("192.0.2.9", **signed(f"wrong-{number}")) for number in range(4)]
        guesses = [client.get("/get_friends", headers=headers).status_code for headers in wrong]
        output = process.output()
    assert first.status_code == 200
    assert codes == [200, 200, 200, 429]
    assert guesses == [401, 401, 401, 429]
    assert ADMIN not in output
    assert "wrong-" not in output
    assert output.count("asks too often and is refused (429)") == 1


def test_this_machine_is_exempt_unless_it_forwards_a_request(recorded_sqlite: str) -> None:
    exempt = {**SLOW, "rate_limit_exempt": "127.0.0.0/8,::1,198.51.100.0/24"}
    with service(database_url=recorded_sqlite, **exempt) as client:
        for headers in ({}, from_address("198.51.100.7"), from_address("::ffff:198.51.100.7")):
            answers = [client.get(COUNT, headers=headers) for _ in range(5)]
            assert {answer.status_code for answer in answers} == {200}
            assert "ratelimit-limit" not in answers[0].headers
        for headers in (from_address("192.0.2.1"), from_address("127.0.0.1, 192.0.2.2")):
            codes = [client.get(COUNT, headers=headers).status_code for _ in range(4)]
            assert codes == [200, 200, 200, 429]
        # Through a proxy that does not say for whom, or lets its clients claim to be this machine.
        claims = [from_address("127.0.0.1"), from_address("unknown"), {"X-Real-IP": "192.0.2.9"}]
        claims += [{"CF-Connecting-IP": "127.0.0.1"}, {"X_Forwarded_For": "198.51.100.7"}]
        codes = [client.get(COUNT, headers=headers).status_code for headers in claims]
        assert codes == [200, 200, 200, 429, 429]


def test_turned_off(recorded_sqlite: str) -> None:
    with service(database_url=recorded_sqlite, **{**SLOW, "rate_limit": "0"}) as client:
        answers = [client.get(COUNT) for _ in range(9)]
    assert {answer.status_code for answer in answers} == {200}
    assert "ratelimit-limit" not in answers[0].headers


class Clock:
    """A clock in microseconds that is moved by hand."""

    def __init__(self) -> None:
        self.now = 10**12

    def __call__(self) -> int:
        return self.now


def test_a_bucket_in_memory_empties_and_refills() -> None:
    clock = Clock()
    limits = RateLimiter(60, 300, clock=clock)

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
    limits = RateLimiter(1, 1, size=10, clock=Clock())

    async def fill() -> None:
        for number in range(100):
            await limits.take(str(number))

    asyncio.run(fill())
    assert len(limits._full_at) == 10
    assert all(limits._full_at.get(str(number)) for number in range(90, 100))


def test_redis_forgets_full_buckets_and_tolerates_odd_values(redis: Redis) -> None:
    async def ask() -> None:
        limits = RedisRateLimiter(100, 3, redis.url, timeout=2)
        async with Client.from_url(redis.url) as client:
            lefts = await asyncio.gather(*[limits.take("odd") for _ in range(5)])
            assert sum(left.wait == 0 for left in lefts) == 3
            assert [left.remaining for left in lefts] == [2, 1, 0, 0, 0]
            await asyncio.sleep(0.05)
            assert not await client.exists("apidot:limit:odd")
            # As after the clock of Redis was set back, or another program wrote to the key.
            for value in ("9" * 16, "not a number"):
                await client.set("apidot:limit:odd", value, px=5000)
                left = await limits.take("odd")
                assert left.wait <= 10_000
            await client.delete("apidot:limit:odd")
            await client.lpush("apidot:limit:odd", "a list")
            assert (await limits.take("odd")).remaining == 2
            assert await client.type("apidot:limit:odd") == b"string"
            await client.delete("apidot:limit:odd")
            await client.script_flush()
            assert (await limits.take("odd")).remaining == 2
        await limits.close()

    asyncio.run(ask())


def test_a_hung_redis_delays_one_request_a_second() -> None:
    with servers.redis(private=True) as redis:

        async def ask() -> list[float]:
            limits = RedisRateLimiter(100, 100, redis.url, timeout=1)
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


def test_the_bucket_of_an_address() -> None:
    async def nothing(*_: object) -> None:
        pass

    subject = RateLimitMiddleware(nothing, Networks(Settings().rate_limit_exempt))._bucket_of
    assert subject("2001:db8::1") == subject("2001:db8::ffff:1") == "2001:db8::/64"
    assert subject("::ffff:192.0.2.1") == subject("192.0.2.1") == "192.0.2.1"
    assert [subject(local) for local in ("127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "")] == [None] * 5
    assert subject("odd") == "odd"


def test_a_key_is_known_for_a_minute_after_its_look_up_expired() -> None:
    class OneKey:
        async def one(self, *_: object, **values: str) -> KeyOwner | None:
            return KeyOwner(12, 3, "right") if values["key"] == "right" else None

    now = [1000.0]
    keys = APIKeys(OneKey(), KeyFailures(9, clock=lambda: now[0]), clock=lambda: now[0])  # type: ignore[arg-type]
    assert keys.known("right") is None
    asyncio.run(keys.owner("right", "192.0.2.1"))
    asyncio.run(keys.owner("wrong", "192.0.2.1"))
    assert [keys.known(key) for key in ("right", "wrong", "other")] == [12, None, None]
    now[0] += 64.9
    assert keys.known("right") == 12
    now[0] += 1
    assert keys.known("right") is None
