"""Cached responses: for how long, in which encodings, and what invalidates them."""

import gzip
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from api.response.encoded import best_encoding
from api.routes import V1, V2
from tests.conftest import PLAYER, Playground, playground, running, service, signed
from tests.support import conformance, mariadbd, servers
from tests.support.servers import MariaDB

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

INFO = "/v1/get_player_info?scope=info&id=12"
LONG = "/v1/get_player_info?scope=all&id=3"


@pytest.fixture(scope="module")
def client(recorded_sqlite: str) -> Iterator[httpx2.Client]:
    with service(database_url=recorded_sqlite) as client:
        client.headers["Accept-Encoding"] = "identity"
        yield client


def renamed(world: Playground, name: str) -> None:
    """Rename a clan in the database, of which the service does not know."""
    world.sql(f"UPDATE clans SET name = '{name}' WHERE id = 1")


def test_a_response_is_cached_for_its_time(world: Playground) -> None:
    path, seconds = "/v1/get_clan?id=1", V1["get_clan"].seconds
    renamed(world, "first")
    assert world.client.get(path).json()["name"] == "first"
    renamed(world, "second")
    world.client.advance(seconds / 2)
    # Another query string with the same parameters.
    assert world.client.get(path + "&unknown=1").json()["name"] == "first"
    world.client.advance(seconds / 2)
    answer = world.client.get(path)
    assert answer.json()["name"] == "second"
    assert "Age" not in answer.headers
    world.client.advance(1)
    assert world.client.get(path).headers["Age"] == "1"


def test_a_response_is_renewed_in_the_background(tmp_path: Path) -> None:
    path, seconds = "/v1/get_clan?id=1", V1["get_clan"].seconds
    with playground(tmp_path, f"sqlite:///{tmp_path / 'world.sqlite'}", metrics_for="127.0.0.1") as world:
        renamed(world, "first")
        assert world.client.get(path).json()["name"] == "first"
        renamed(world, "second")
        world.client.advance(seconds - 1)
        while world.client.get(path).json()["name"] == "first":
            time.sleep(0.02)
        # Only the first request has waited for the database.
        misses = 'apidot_cache_answers_total{cache="miss",route="/v1/get_clan"} 1.0'
        assert misses in world.client.get("/metrics").text


def test_what_does_not_exist_is_remembered_for_as_long(world: Playground) -> None:
    path, seconds = "/v1/get_clan?id=777", V1["get_clan"].seconds
    first = world.client.get(path)
    assert first.status_code == 404
    world.sql("INSERT INTO clans (id, name, tag, owner, created_at) VALUES (777, 'new', 'NEW', 3, '2026-01-01')")
    try:
        world.client.advance(seconds / 2)
        again = world.client.get(path + "&unknown=1")
        assert (again.status_code, again.content) == (404, first.content)
        world.client.advance(seconds / 2)
        assert world.client.get(path).json()["name"] == "new"
    finally:
        world.sql("DELETE FROM clans WHERE id = 777")


def test_a_hundred_requests_at_once_are_one_call(tmp_path: Path) -> None:
    with (
        # A server of its own, since it counts the statements of all clients.
        servers.mariadb(private=True) as mariadb,
        playground(tmp_path, mariadb.database("together")) as world,
        ThreadPoolExecutor(100) as pool,
    ):
        world.client.get("/v1/get_clan?id=2")

        def count() -> int:
            with mariadbd.connect(mariadb.url) as connection, connection.cursor() as cursor:
                cursor.execute("SHOW GLOBAL STATUS LIKE 'Com_select'")
                return int(cursor.fetchall()[0][1])

        before = count()
        found = list(pool.map(lambda _: world.client.get("/v1/get_clan?id=1").content, range(100)))
        # The clan and its members.
        assert count() - before == 2
    assert len(set(found)) == 1


def test_nothing_is_cached_with_the_cache_off(tmp_path: Path) -> None:
    with playground(tmp_path, f"sqlite:///{tmp_path / 'world.sqlite'}", cache="off") as world:
        for name in ("one", "two"):
            renamed(world, name)
            assert world.client.get("/v1/get_clan?id=1").json()["name"] == name


def test_the_oldest_responses_are_evicted(tmp_path: Path) -> None:
    with playground(tmp_path, f"sqlite:///{tmp_path / 'world.sqlite'}", cache_bytes=str(2**20)) as world:
        renamed(world, "first")
        assert world.client.get("/v1/get_clan?id=1").json()["name"] == "first"
        renamed(world, "second")
        assert world.client.get("/v1/get_clan?id=1").json()["name"] == "first"
        for offset in range(400):
            world.client.get(f"/v1/get_player_most_played?id=3&limit=1&offset={offset}").raise_for_status()
        assert world.client.get("/v1/get_clan?id=1").json()["name"] == "second"


def test_a_change_is_in_the_next_response(tmp_path: Path, mariadb: MariaDB) -> None:
    with playground(tmp_path, mariadb.database("edited")) as world:
        assert_changes_are_seen(world, name_of(tmp_path))


def assert_changes_are_seen(world: Playground, name: str) -> None:
    """Change the player's page again and again, and find each change in the next responses about the player."""
    asked = [INFO, f"/get_player_info?scope=all&name={name}", "/v2/players/12", "/v2/players"]
    for number in range(20):
        text = f"page {number}"
        for path in asked:
            world.client.get(path)
        # On new connections, so that all workers get requests.
        with httpx2.Client(base_url=world.client.base_url, trust_env=False, verify=False) as other:
            changed = other.put("/v1/set_player_info", json={"userpage_content": text}, headers=signed(PLAYER))
        assert changed.status_code == 200
        for path in asked:
            with httpx2.Client(base_url=world.client.base_url, trust_env=False, verify=False) as other:
                assert text in other.get(path).text


def name_of(folder: Path) -> str:
    """Return the safe name of the player who makes the changes."""
    url = f"sqlite:///{folder / 'names.sqlite'}"
    conformance.load(url)
    with service(database_url=url) as client:
        name: str = client.get(INFO).json()["player"]["info"]["safe_name"]
    return name


def test_stale_responses_are_served_while_the_database_is_unavailable() -> None:
    with servers.mariadb(private=True) as server:
        url = server.database("recorded")
        conformance.load(url)
        with running(database_url=url, db_pool_wait="1") as (client, _):
            path = "/v1/get_player_info?scope=all&id=3"
            there = client.get(path)
            server.stop()
            client.advance(V1["get_player_info"].seconds + 0.1)
            away = client.get(path)
            assert (away.status_code, away.content) == (200, there.content)
            assert int(away.headers["Age"]) >= 2
            unknown = client.get("/v1/get_player_info?scope=all&id=12")
            assert (unknown.status_code, unknown.json()) == (503, {"status": "The database did not answer."})
            server.start()
            while "Age" in client.get(path).headers:
                time.sleep(0.1)


@pytest.mark.parametrize("path", [INFO, LONG, "/v2/clans/1"])
def test_if_none_match(client: httpx2.Client, path: str) -> None:
    first = client.get(path)
    etag = first.headers["ETag"]
    assert etag.startswith('W/"')
    for known in (etag, etag.removeprefix("W/"), f'"other", {etag}', "*"):
        again = client.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == etag
        assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
        assert again.headers["Access-Control-Allow-Origin"] == "*"
        assert "Content-Type" not in again.headers
    assert client.get(path, headers={"If-None-Match": '"other"'}).content == first.content
    # A connection works after a 304.
    assert client.get(path).content == first.content


def test_only_reads_are_cached() -> None:
    never = {"get_replay", "calculate_pp", "calculate_pp_batch", "get_friends", "set_player_info", "set_avatar"}
    never |= {"scores/{score_id}/replay", "players/{player_id}/favourites", "events"}
    for name, endpoint in (V1 | V2).items():
        assert (endpoint.seconds == 0) == (name in never), (
            f"api/routes.py: `{name}` has seconds={endpoint.seconds}; reads are cached for 1 to 5 seconds, "
            "and those that must not be are in `never` in tests/api/response/test_cache.py"
        )
        assert 0 <= endpoint.seconds <= 5, f"api/routes.py: `{name}`: responses are cached for at most 5 seconds"


def test_cache_control(client: httpx2.Client) -> None:
    assert client.get("/v1/get_clan?id=1").headers["Cache-Control"] == "public, max-age=5"
    # Players change their profiles through this service.
    assert client.get(INFO).headers["Cache-Control"] == "no-cache"
    assert "Cache-Control" not in client.get("/v1/get_clan?id=99999").headers
    assert client.get("/v1/get_friends", headers=signed(PLAYER)).headers["Cache-Control"] == "no-store"


def test_compression_as_accepted(client: httpx2.Client) -> None:
    plain = client.get(LONG)
    assert "Content-Encoding" not in plain.headers
    forms = {"gzip": gzip.decompress, "zstd": zstd.decompress}
    for encoding, decompress in forms.items():
        for _ in range(2):
            with client.stream("GET", LONG, headers={"Accept-Encoding": encoding}) as answer:
                sent = b"".join(answer.iter_raw())
            assert answer.headers["Content-Encoding"] == encoding
            assert answer.headers["Vary"] == plain.headers.get("Vary") == "Accept-Encoding", answer.headers
            assert answer.headers["ETag"] == plain.headers["ETag"]
            assert int(answer.headers["Content-Length"]) == len(sent) < len(plain.content) / 3
            assert decompress(sent) == plain.content
    short = client.get("/v1/get_player_count", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in short.headers
    assert "Vary" not in short.headers


def test_compression_can_be_turned_off(recorded_sqlite: str) -> None:
    with service(database_url=recorded_sqlite, compression="off") as client:
        answer = client.get(LONG)
    assert "Content-Encoding" not in answer.headers
    assert "Vary" not in answer.headers


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        (b"gzip, deflate, br, zstd", b"zstd"),
        (b"gzip, deflate, br", b"gzip"),
        (b"GZIP", b"gzip"),
        (b"zstd;q=0.1, gzip;q=0.5", b"gzip"),
        (b"gzip;q=0", b""),
        (b"gzip; q=0.000, *", b"zstd"),
        (b"*;q=0", b""),
        (b"identity", b""),
        (b"", b""),
        (b"br", b""),
        (b"gzip;q=x", b""),
        (b"gzip;q=nan", b""),
        (b",;,=;q", b""),
        (b"\xff;q=\xff", b""),
    ],
)
def test_encodings(accepted: bytes, chosen: bytes) -> None:
    assert best_encoding(accepted) == chosen
