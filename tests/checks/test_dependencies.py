"""`check` with mistakes in Redis, the game server, the data folder and the replays."""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from redis import Redis as Client

from api.startup import startup_report
from tests.checks.test_check import COUNT, FRAMES, ONLINE, game_server
from tests.support import conformance, servers
from tests.support.checks import check, settings_of
from tests.support.http_stub import Answer, Asked, answering
from tests.support.processes import free_port


@pytest.fixture(scope="module")
def ranks() -> Iterator[str]:
    """The URL of a Redis that these tests may empty."""
    with servers.redis(private=True) as server:
        yield server.url


@pytest.fixture
def recorded_ranks(ranks: str) -> Iterator["Client"]:
    """A client of that Redis, which holds the recorded ranks."""
    with closing(Client.from_url(ranks, decode_responses=True)) as client:
        client.flushdb()
        conformance.load_ranks(ranks)
        yield client


def test_a_redis_that_is_down_is_a_warning(recorded_sqlite: str, tmp_path: Path) -> None:
    url = f"redis://reader:se%2Fcret@127.0.0.1:{free_port()}/0"

    findings = check(tmp_path, database_url=recorded_sqlite, redis_url=url)

    assert findings.codes("redis") == {"redis.away": "warning"}
    assert "se%2Fcret" not in str(findings.all)
    assert "se/cret" not in str(findings.all)


def test_ranks_that_agree_are_fine(
    recorded_sqlite: str, tmp_path: Path, ranks: str, recorded_ranks: object
) -> None:
    findings = check(tmp_path, database_url=recorded_sqlite, redis_url=ranks)

    assert findings.codes("redis") == {"redis.version": "ok", "redis.ranks-agree": "ok"}


def test_ranks_that_differ_are_counted(
    recorded_sqlite: str, tmp_path: Path, ranks: str, recorded_ranks: "Client"
) -> None:
    recorded_ranks.zadd("bancho:leaderboard:0", {"127": 0})

    findings = check(tmp_path, database_url=recorded_sqlite, redis_url=ranks)

    assert findings.codes("redis") == {"redis.version": "ok", "redis.ranks-differ": "warning"}
    assert "ranks differ from the database's (player " in findings.text("redis.ranks-differ")


def test_ranks_under_another_country_are_counted_separately(
    recorded_sqlite: str, tmp_path: Path, ranks: str, recorded_ranks: "Client"
) -> None:
    for key in recorded_ranks.keys("bancho:leaderboard:4:*"):
        # Nobody of the country is on its leaderboard.
        recorded_ranks.delete(key)
        recorded_ranks.zadd(key, {"1000000": 1})

    findings = check(tmp_path, database_url=recorded_sqlite, redis_url=ranks)

    assert findings.codes("redis") == {"redis.version": "ok", "redis.country-ranks-differ": "warning"}


@pytest.mark.parametrize("pattern", ["bancho:leaderboard:4", "bancho:leaderboard:4:*"])
@pytest.mark.parametrize("of_another_type", [False, True])
def test_missing_leaderboards_are_named(
    recorded_sqlite: str,
    tmp_path: Path,
    ranks: str,
    recorded_ranks: "Client",
    pattern: str,
    of_another_type: bool,
) -> None:
    for key in recorded_ranks.keys(pattern):
        recorded_ranks.delete(key)
        if of_another_type:
            recorded_ranks.set(key, "x")

    findings = check(tmp_path, database_url=recorded_sqlite, redis_url=ranks)

    assert findings.codes("redis") == {"redis.version": "ok", "redis.leaderboards-missing": "warning"}
    assert "lacks leaderboards (bancho:leaderboard:4" in findings.text("redis.leaderboards-missing")


def test_ranks_of_an_old_game_server_are_recognised(
    recorded_sqlite: str, tmp_path: Path, ranks: str, recorded_ranks: "Client"
) -> None:
    for key in {key for key, _, _ in conformance.ranks()}:
        recorded_ranks.rename(key, key.replace("bancho:", "gulag:"))

    findings = check(tmp_path, database_url=recorded_sqlite, redis_url=ranks)

    assert findings.codes("redis") == {"redis.version": "ok", "redis.old-prefix": "warning"}


def test_the_wrong_redis_database_is_recognised(
    recorded_sqlite: str, tmp_path: Path, ranks: str, recorded_ranks: object
) -> None:
    findings = check(tmp_path, database_url=recorded_sqlite, redis_url=ranks.replace("/0", "/1"))

    assert findings.codes("redis") == {"redis.version": "ok", "redis.empty": "warning"}


@pytest.mark.parametrize(
    ("commands", "channels", "expected"),
    [
        ((), ["*"], {}),
        (("-info", "-zcard"), ["*"], {}),
        (
            ("-eval",),
            ["*"],
            {"redis.no-eval": "warning", "redis.limits": "warning", "redis.failures": "warning"},
        ),
        (("-time",), ["*"], {"redis.limits": "warning"}),
        (("-set",), ["*"], {"redis.limits": "warning"}),
        ((), ["bancho:*"], {"redis.changes": "warning"}),
        (("-publish",), ["*"], {"redis.changes": "warning"}),
        (("-subscribe",), ["*"], {"redis.changes": "warning"}),
    ],
)
def test_what_a_user_of_redis_may_not_do(
    recorded_sqlite: str,
    tmp_path: Path,
    ranks: str,
    recorded_ranks: "Client",
    commands: tuple[str, ...],
    channels: list[str],
    expected: dict[str, str],
) -> None:
    recorded_ranks.acl_setuser(
        "reader",
        enabled=True,
        passwords="+geheim",
        keys=["*"],
        channels=channels,
        categories=["+@all"],
        commands=commands,
    )
    settings = {
        "database_url": recorded_sqlite,
        "redis_url": ranks.replace("//", "//reader:geheim@"),
        "api_workers": "2",
    }
    try:
        findings = check(tmp_path, **settings)
        report = "\n".join(asyncio.run(startup_report(settings_of(tmp_path, **settings))))
    finally:
        recorded_ranks.acl_deluser("reader")

    assert findings.codes("redis") == {"redis.version": "ok", "redis.ranks-agree": "ok"} | expected
    assert ("rate limits   300 requests at once, 60 a second after that, counted in Redis" in report) == (
        "redis.limits" not in expected
    )
    assert ("IN EACH WORKER until Redis counts them (" in report) == ("redis.limits" in expected)
    assert ("Redis, NOT COUNTING RATE LIMITS (" in report) == ("redis.limits" in expected)
    assert "geheim" not in report


def test_a_game_server_that_is_down_is_a_warning(recorded_sqlite: str, tmp_path: Path) -> None:
    findings = check(tmp_path, database_url=recorded_sqlite, app_port=str(free_port()))

    assert findings.codes("game-server") == {"game-server.down": "warning"}


@pytest.mark.parametrize(
    ("answer", "page"),
    [
        (Answer(500, b"Internal Server Error"), Answer(200, ONLINE)),
        (Answer(200, b"<html>"), Answer(200, ONLINE)),
        (Answer(404, b'{"detail":"Not Found"}'), Answer(200, ONLINE)),
        (Answer(200, COUNT), Answer(404, b'{"detail":"Not Found"}')),
        (Answer(200, COUNT), Answer(200, b"<html>")),
    ],
)
def test_another_server_in_its_place_is_a_warning(
    recorded_sqlite: str, tmp_path: Path, answer: Answer, page: Answer
) -> None:
    with answering(lambda asked: page if asked.path == "/online" else answer) as port:
        findings = check(tmp_path, database_url=recorded_sqlite, game_server_url=f"http://127.0.0.1:{port}")

    levels = {"game-server.api": "ok", "game-server.online-page": "ok", "game-server.passed-on": "ok"}
    levels["game-server.online-page" if answer.body == COUNT else "game-server.api"] = "warning"
    assert findings.codes("game-server") == levels


def test_the_game_server_is_asked_by_its_own_name(recorded_sqlite: str, tmp_path: Path) -> None:
    asked: list[Asked] = []

    def remember(request: Asked) -> Answer:
        asked.append(request)
        return game_server(request)

    with answering(remember) as port:
        check(tmp_path, database_url=recorded_sqlite, app_port=str(port), domain="example.com")

    assert {(each.path, each.headers["host"]) for each in asked} == {
        ("/v1/get_player_count", "api.example.com"),
        ("/online", "c.example.com"),
        ("/openapi.json", "api.example.com"),
    }


def test_what_is_passed_on_to_a_fork_is_listed(recorded_sqlite: str, tmp_path: Path) -> None:
    parameters = [{"name": "page", "in": "query"}, {"name": "line\nbreak", "in": "query"}]
    description = json.dumps({"paths": {"/v1/get_leaderboard": {"get": {"parameters": parameters}}}}).encode()

    def answer(asked: Asked) -> Answer:
        return Answer(200, description) if asked.path == "/openapi.json" else game_server(asked)

    with answering(answer) as port:
        settings = {"database_url": recorded_sqlite, "app_port": str(port), "pass_on": "/v2/scores"}
        texts = {
            learn: check(tmp_path, learn_fork=learn, **settings).text("game-server.passed-on")
            for learn in ("on", "off")
        }

    assert "is read; passed on: /v2/scores; get_leaderboard with page -> " in texts["on"]
    assert "LEARN_FORK is off); passed on: /v2/scores -> " in texts["off"]


def test_this_service_is_not_its_own_game_server(recorded_sqlite: str, tmp_path: Path) -> None:
    findings = check(tmp_path, database_url=recorded_sqlite, app_port="8000", app_host="0.0.0.0")

    assert findings.codes("game-server") == {"game-server.itself": "error"}


def test_a_missing_data_folder_is_a_warning(recorded_sqlite: str, tmp_path: Path) -> None:
    findings = check(tmp_path, database_url=recorded_sqlite)

    assert findings.codes("files") == {"files.no-folder": "warning"}
    assert findings.codes("replays") == {"replays.away": "warning"}

    (tmp_path / ".data" / "osr").mkdir(parents=True)
    findings = check(tmp_path, database_url=recorded_sqlite)

    assert findings.codes("files") == {"files.no-osu": "ok", "files.no-avatars": "ok"}
    assert findings.text("replays.readable").startswith("0 replays")


def test_without_pillow_no_avatar_can_be_set(
    recorded_sqlite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".data").mkdir()
    monkeypatch.setitem(sys.modules, "PIL", None)

    findings = check(tmp_path, database_url=recorded_sqlite)

    assert findings.codes("files")["files.no-pillow"] == "warning"


def test_files_that_are_not_replays_are_counted(recorded_sqlite: str, tmp_path: Path) -> None:
    (tmp_path / "osr").mkdir()
    for name, content in {"1": FRAMES, "2": b"", "3": b"<html>", "other": b""}.items():
        (tmp_path / "osr" / f"{name}.osr").write_bytes(content)

    findings = check(tmp_path, database_url=recorded_sqlite, replays_url=f"file://{tmp_path}/osr")

    assert findings.codes("replays") == {"replays.odd": "warning"}
    assert findings.text("replays.odd").startswith("2 of 3")


def test_replays_of_another_server_are_a_warning(recorded_sqlite: str, tmp_path: Path) -> None:
    (tmp_path / ".data" / "osr").mkdir(parents=True)
    (tmp_path / ".data" / "osr" / "987654321.osr").write_bytes(FRAMES)

    findings = check(tmp_path, database_url=recorded_sqlite)

    assert findings.codes("replays") == {"replays.unknown": "warning"}


def test_replays_that_cannot_be_read_are_counted(recorded_sqlite: str, tmp_path: Path) -> None:
    (tmp_path / "osr").mkdir()
    (tmp_path / "osr" / "1.osr").symlink_to("1.osr")

    findings = check(tmp_path, database_url=recorded_sqlite, replays_url=f"file://{tmp_path}/osr")

    assert findings.codes("replays") == {"replays.unreadable": "warning"}
    assert findings.text("replays.unreadable").startswith("1 of 1")
