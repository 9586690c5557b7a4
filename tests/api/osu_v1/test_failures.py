"""What the osu! API v1 answers when something fails: the texts that its clients compare literally."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient
from starlette.types import Message

from api.app import build
from api.middleware.request_log import RequestLog
from api.routes import OSU_V1
from api.services import Services
from config.settings import Settings
from storage.cache.change_marker import ChangeMarker
from storage.cache.stored_replays import FRESH_SECONDS
from tests.api.osu_v1.test_shapes import BEATMAP, REPLAY, SHAPES, rows_of
from tests.conftest import Playground, Recorded, playground, service
from tests.support import conformance
from tests.support.servers import S3, MariaDB

UNAVAILABLE = {"error": "Service unavailable."}
TOO_FAST = {"error": "Requesting too fast! Slow your operation, cap'n!"}
NOT_AVAILABLE = {"error": "Replay not available."}
NOT_RETRIEVED = {"error": "Replay retrieval failed."}
REQUESTS = [f"/api/{name}?{query}" for name, (query, _) in SHAPES.items()]
# The match is unknown whatever the database says.
NEED_DATABASE = [request for request in REQUESTS if "get_match" not in request]


def assert_error(answer: httpx2.Response, status: int, body: dict[str, str]) -> None:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
    assert answer.json() == body
    assert int(answer.headers["retry-after"]) > 0


@pytest.fixture(scope="module")
def alone() -> Iterator[httpx2.Client]:
    """A service without a database."""
    url = "mysql://nobody:nothing@127.0.0.1:9/nowhere"
    with service(database_url=url, data_directory=str(conformance.WORLD)) as client:
        yield client


@pytest.mark.parametrize("request_", NEED_DATABASE)
def test_no_database(alone: httpx2.Client, request_: str) -> None:
    assert_error(alone.get(request_), 503, UNAVAILABLE)
    assert alone.head(request_).status_code == 503


def test_no_database_and_a_required_key() -> None:
    with service(database_url="mysql://a:b@127.0.0.1:9/c", osu_api_v1_key="required") as client:
        for request_ in REQUESTS:
            assert_error(client.get(f"{request_}&k=x"), 503, UNAVAILABLE)
            assert client.get(request_).status_code == 401


def test_the_last_response_is_served_while_the_database_is_away(tmp_path: Path, mariadb: MariaDB) -> None:
    with playground(tmp_path, mariadb.database("osu_stale")) as here:
        answers = {request_: here.client.get(request_) for request_ in NEED_DATABASE if "replay" not in request_}
        tables = ("users", "stats", "scores", "maps")
        here.sql(*(f"RENAME TABLE {table} TO gone_{table}" for table in tables))
        here.client.advance(10)
        for request_, before in answers.items():
            answer = here.client.get(request_)
            assert (answer.status_code, answer.content) == (200, before.content)
            assert int(answer.headers["age"]) >= 10
        assert_error(here.client.get("/api/get_user?u=4"), 503, UNAVAILABLE)


def test_the_rate_limit(recorded_sqlite: str) -> None:
    limits = {"rate_limit": "0.01", "rate_limit_burst": "1", "rate_limit_exempt": ""}
    with service(database_url=recorded_sqlite, **limits) as client:
        client.get("/health/ready")
        client.get("/v1/get_clan?id=1")
        for request_ in [*REQUESTS, "/api//get_user", "//v1/get_match/?mp=1"]:
            answer = client.get(request_)
            assert_error(answer, 429, TOO_FAST)
            assert answer.headers["ratelimit-remaining"] == "0"
        for request_ in ("/api/get_match?id=1", "/api/get_replay?id=1", "/v1/get_clan?id=1"):
            assert list(client.get(request_).json()) == ["status"]


def test_without_the_osu_api_the_rate_limit_is_that_of_version_1(recorded_sqlite: str) -> None:
    limits = {"rate_limit": "0.01", "rate_limit_burst": "1", "rate_limit_exempt": "", "osu_api_v1": "false"}
    with service(database_url=recorded_sqlite, **limits) as client:
        client.get("/api/get_user")
        assert list(client.get("/api/get_user").json()) == ["status"]


@pytest.mark.parametrize("name", OSU_V1)
def test_an_unexpected_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("unexpected")

    monkeypatch.setattr(OSU_V1[name], "handler", fail)

    @asynccontextmanager
    async def open_services(settings: Settings) -> AsyncIterator[Services]:
        others: Any = dict.fromkeys(Services.__struct_fields__)
        yield Services(**others | {"settings": settings, "change_marker": ChangeMarker()})

    app = build(Settings(learn_fork=False), open_services)
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get(f"/api/{name}?s=1&mp=1")
    assert (answer.status_code, answer.json()) == (503, UNAVAILABLE)
    assert int(answer.headers["retry-after"]) > 0


def test_a_worker_that_is_being_stopped() -> None:
    sent: list[Message] = []

    async def cancelled(*_: object) -> None:
        raise asyncio.CancelledError

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/api/get_user", "headers": [], "route": "/api/get_user"}
    asyncio.run(RequestLog(cancelled)(scope, receive, send))
    assert sent[0]["status"] == 503
    assert (b"retry-after", b"5") in sent[0]["headers"]
    assert json.loads(sent[1]["body"]) == UNAVAILABLE


def test_a_query_that_is_too_long(recorded: Recorded) -> None:
    answer = recorded.client.get("/api/get_user", params={"u": "x" * 20_000})
    assert answer.status_code == 414
    assert list(answer.json()) == ["error"]


def test_a_hidden_player_is_nowhere(world: Playground) -> None:
    client = world.client
    scores = rows_of(client, f"get_scores?b={BEATMAP}")
    id = scores[0]["user_id"]
    best = rows_of(client, f"get_user_best?u={id}")
    assert best
    name = rows_of(client, f"get_user?u={id}")[0]["username"]
    for priv in (2, 1, 0):
        world.sql(f"UPDATE users SET priv = {priv} WHERE id = {id}")
        client.advance(30)
        for u in (f"u={id}", f"u={id}&type=id", f"u={name}", f"u={name}&type=string"):
            for request_ in ("get_user", "get_user_best", "get_user_recent", f"get_scores?b={BEATMAP}"):
                assert rows_of(client, f"{request_}{'&' if '?' in request_ else '?'}{u}") == []
            assert client.get(f"/api/get_replay?b={BEATMAP}&{u}").json() == NOT_AVAILABLE
        assert id not in {row["user_id"] for row in rows_of(client, f"get_scores?b={BEATMAP}")}
    world.sql(f"UPDATE users SET priv = 3 WHERE id = {id}")
    client.advance(30)
    assert rows_of(client, f"get_scores?b={BEATMAP}") == scores


def test_replays(recorded: Recorded) -> None:
    client = recorded.client
    frames = client.get(f"/v1/get_replay?id={REPLAY}&include_headers=false").content
    answer = client.get(f"/api/get_replay?s={REPLAY}")
    assert base64.b64decode(answer.json()["content"], validate=True) == frames
    assert answer.json()["encoding"] == "base64"
    assert int(answer.headers["content-length"]) == len(answer.content)
    score = client.get(f"/v1/get_score_info?id={REPLAY}").json()["score"]
    named = f"b={score['beatmap']['id']}&u={score['userid']}&m={score['mode']}"
    assert client.get(f"/api/get_replay?{named}&mods={score['mods']}").content == answer.content
    # With other mods, there is another score or none.
    assert client.get(f"/api/get_replay?{named}&mods={score['mods'] ^ 8}").json() == NOT_AVAILABLE
    # The replay of 119 is stored, and its player is hidden.
    for wrong in (
        "s=119",
        "s=0",
        "s=",
        "s=x",
        "s=-1",
        "s=806",
        "s=999999998",
        "s=" + "9" * 30,
        "b=1&u=",
        "b=x&u=y",
    ):
        answer = client.get(f"/api/get_replay?{wrong}")
        assert (answer.status_code, answer.json()) == (200, NOT_AVAILABLE), wrong
    # `s` wins over `b` and `u`.
    assert client.get(f"/api/get_replay?s=806&{named}").json() == NOT_AVAILABLE


def test_whether_a_replay_is_available(uncached: Playground) -> None:
    here = uncached
    folder = here.data / "osr"
    folder.mkdir()
    scores = rows_of(here.client, f"get_scores?b={BEATMAP}")
    assert {score["replay_available"] for score in scores} == {"0"}
    there, link, directory, empty = (score["score_id"] for score in scores[:4])
    (folder / f"{there}.osr").write_bytes((conformance.WORLD / "osr" / f"{REPLAY}.osr").read_bytes())
    (folder / f"{link}.osr").symlink_to(folder / "nothing.osr")
    (folder / f"{directory}.osr").mkdir()
    (folder / f"{empty}.osr").touch()
    # Which replays are stored is remembered for some seconds.
    here.client.advance(FRESH_SECONDS + 1)
    after = rows_of(here.client, f"get_scores?b={BEATMAP}")
    assert [score["score_id"] for score in after if score["replay_available"] == "1"] == [there]
    player = next(score["user_id"] for score in after if score["score_id"] == there)
    best = {row["score_id"]: row["replay_available"] for row in rows_of(here.client, f"get_user_best?u={player}")}
    assert best.get(there, "1") == "1"
    assert len(here.client.get(f"/api/get_replay?b={BEATMAP}&u={player}").json()["content"]) > 100


def test_a_replay_that_is_none(world: Playground) -> None:
    folder = world.data / "osr"
    folder.mkdir(exist_ok=True)
    for content in (b"", b"neither bare nor whole" * 9):
        (folder / f"{REPLAY}.osr").write_bytes(content)
        answer = world.client.get(f"/api/get_replay?s={REPLAY}")
        assert (answer.status_code, answer.json()) == (200, NOT_AVAILABLE)
    # Of a score that does not exist, there is no player who could be seen to be visible.
    (folder / "999999999.osr").write_bytes((conformance.WORLD / "osr" / f"{REPLAY}.osr").read_bytes())
    assert world.client.get("/api/get_replay?s=999999999").json() == NOT_AVAILABLE


def test_replays_in_s3(recorded_sqlite: str, s3: S3) -> None:
    settings = s3.settings("http", "osu/v1")
    s3.put("http", f"osu/v1/{REPLAY}.osr", (conformance.WORLD / "osr" / f"{REPLAY}.osr").read_bytes())
    with service(database_url=recorded_sqlite, **settings) as client:
        assert client.get(f"/api/get_replay?s={REPLAY}").json()["encoding"] == "base64"
        assert client.get("/api/get_replay?s=806").json() == NOT_AVAILABLE
        scores = rows_of(client, f"get_scores?b={BEATMAP}")
        assert {score["replay_available"] for score in scores} == {"1"}
    settings["aws_endpoint_url_s3"] = "http://127.0.0.1:9"
    with service(database_url=recorded_sqlite, **settings) as client:
        assert_error(client.get(f"/api/get_replay?s={REPLAY}"), 503, NOT_RETRIEVED)


def test_a_database_without_favourites_and_ratings(uncached: Playground) -> None:
    here = uncached
    before = rows_of(here.client, "get_beatmaps?limit=5")
    of_one = rows_of(here.client, f"get_beatmaps?b={BEATMAP}")
    here.sql("DROP TABLE favourites")
    for request_, rows in (("get_beatmaps?limit=5", before), (f"get_beatmaps?b={BEATMAP}", of_one)):
        expected = [row | {"favourite_count": "0"} for row in rows]
        assert rows_of(here.client, request_) == expected
    health = here.client.get("/health/ready").json()
    assert health["neighbours"]["database"] == {"state": "up"}
    assert "does not answer" not in here.process.output()
    here.sql("DROP TABLE ratings")
    expected = [row | {"favourite_count": "0", "rating": "0"} for row in of_one]
    assert rows_of(here.client, f"get_beatmaps?b={BEATMAP}") == expected


@pytest.mark.parametrize(("table", "column"), [("favourites", "setid"), ("ratings", "map_md5")])
def test_what_cannot_be_counted_is_not_shown_as_nothing(uncached: Playground, table: str, column: str) -> None:
    uncached.sql(f"ALTER TABLE {table} RENAME COLUMN {column} TO gone")
    for query in (f"b={BEATMAP}", f"b={BEATMAP}&m=0", "limit=5"):
        answer = uncached.client.get(f"/api/get_beatmaps?{query}")
        assert (answer.status_code, answer.json()) == (503, {"error": "Service unavailable."})
