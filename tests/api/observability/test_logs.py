"""The log: one complete line for each request, without secrets, and without blocking requests."""

import asyncio
import json
import logging
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.observability.access_log import AccessRecord, LoggedTarget, escaped
from api.observability.log_format import JSONFormatter, LogfmtFormatter
from api.observability.log_writer import MAX_QUEUED, LogWriter
from storage.observer import Observer
from tests.conftest import PLAYER, ROOT, Running, running, signed
from tests.support import mariadbd
from tests.support.processes import free_port
from tests.support.servers import MariaDB

LINE = re.compile(
    r'time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=info method=(?P<method>\w+) path="(?P<path>[^"\s]*)" '
    r"status=(?P<status>\d+) ms=(?P<ms>\d+\.\d\d) bytes=(?P<bytes>\d+) client=(?P<client>\S+) "
    r"id=(?P<id>\S+)(?: route=(?P<route>\S+))?(?: cache=(?P<cache>hit|miss|stale))?"
)
TARGETS = LoggedTarget({"/v1/get_clan": frozenset({"id", "key"})})


def requests(service: Running, count: int) -> list[dict[str, Any]]:
    """Wait for `count` lines about requests, and return all of them."""
    deadline = time.monotonic() + 5
    while True:
        lines = [LINE.fullmatch(line) for line in service.process.output(10_000).splitlines()]
        matched = [line.groupdict() for line in lines if line]
        if len(matched) >= count or time.monotonic() > deadline:
            return matched
        time.sleep(0.05)


@pytest.fixture(scope="module")
def logged(recorded_sqlite: str) -> Iterator[Running]:
    with running(database_url=recorded_sqlite) as service:
        yield service


def line_of(service: Running, answer: httpx2.Response) -> dict[str, Any]:
    """Wait for the line about the request with that response, and return it."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        for line in requests(service, 1):
            if line["id"] == answer.headers["X-Request-ID"]:
                return line
        time.sleep(0.05)
    raise AssertionError("no such line")


def test_a_line_has_the_request_and_its_result(logged: Running) -> None:
    answer = logged.client.get("/api/v1/get_clan/?id=1")
    line = line_of(logged, answer)

    assert (line["method"], line["path"], line["route"]) == ("GET", "/api/v1/get_clan/?id=1", "/v1/get_clan")
    assert (line["status"], line["bytes"], line["client"]) == ("200", str(len(answer.content)), "127.0.0.1")
    assert 0 < float(line["ms"]) < 5000


@pytest.mark.parametrize(
    ("method", "path", "status", "route"),
    [
        ("HEAD", "/v1/get_clan?id=1", "200", "/v1/get_clan"),
        ("GET", "/v2/clans/1", "200", "/v2/clans/{clan_id}"),
        ("GET", "/v1/get_clan?id=x", "422", "/v1/get_clan"),
        ("DELETE", "/v1/get_clan", "405", "/v1/get_clan"),
        ("GET", "/", "404", "/"),
        ("GET", "/nothing", "404", None),
    ],
)
def test_every_kind_of_response_has_a_line(
    logged: Running, method: str, path: str, status: str, route: str | None
) -> None:
    answer = logged.client.request(method, path)
    line = line_of(logged, answer)

    assert (line["method"], line["status"], line["route"]) == (method, status, route)
    assert line["bytes"] == ("0" if method == "HEAD" else str(len(answer.content)))


def test_secrets_are_masked(logged: Running) -> None:
    target = "/v1/get_clan?id=1&key=geheim1&token=geheim2&h=geheim3&geheim4&ha=&password=geheim5"
    line = line_of(logged, logged.client.get(target, headers=signed(PLAYER) | {"Cookie": "geheim6"}))

    assert line["path"] == "/v1/get_clan?id=1&key=…&token=…&h=…&…&ha=&password=…"
    assert "geheim" not in logged.process.output(10_000)
    assert PLAYER not in logged.process.output(10_000)


def test_parameters_of_requests_to_the_game_server_are_masked(logged: Running) -> None:
    line = line_of(logged, logged.client.get("/web/osu-osz2-getscores.php?us=me&ha=geheim7&id=geheim8"))

    assert line["path"] == "/web/osu-osz2-getscores.php?us=…&ha=…&id=…"


@given(st.binary(max_size=400), st.binary(max_size=400))
def test_a_request_cannot_forge_a_line(path: bytes, query: bytes) -> None:
    text = TARGETS.format("/v1/get_clan", path, b"id=" + query)
    assert re.fullmatch(r"[!#-\[\]-~…]*", text)
    assert len(text) < 20_000
    record = logging.LogRecord("", 20, "", 0, AccessRecord("GET", text, 200, 1.0, 1, "::1", "1"), None, None)
    assert LINE.fullmatch(LogfmtFormatter().format(record))
    assert json.loads(JSONFormatter().format(record))["path"] == text


def test_long_targets_are_cut() -> None:
    many = TARGETS.format("/v1/get_clan", b"/" + b"p" * 5000, b"&".join(b"id=%d" % n for n in range(1000)))
    assert len(many) < 500
    assert many.endswith("id=15&…")
    assert escaped(b'\n\x1b[0m\xff"\\ \x00', 100) == "%0A%1B[0m%FF%22%5C%20%00"


def record(message: str, *arguments: object, error: BaseException | None = None) -> logging.LogRecord:
    raised = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("apidot", logging.WARNING, "", 0, message, arguments, raised)


@pytest.mark.parametrize(
    "text", ['a "b" = \\', "line\nlevel=info forged", "\x1b[31m\x85\u2028\x9b", "大会", "\ud800"]
)
def test_a_message_stays_on_its_line(text: str) -> None:
    line = LogfmtFormatter().format(record("said %s", text))
    assert len(line.splitlines()) == 1
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", line)
    assert json.loads(line.partition(" msg=")[2]) == f"said {text}"

    as_json = JSONFormatter().format(record("said %s", text))
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", as_json)
    assert json.loads(as_json)["msg"] == f"said {text}"


def test_a_traceback_cannot_pass_for_log_lines() -> None:
    fault = ValueError("x\ntime=2026 level=info forged\r\x85time=now")
    first, *others = LogfmtFormatter().format(record("broken", error=fault)).split("\n")

    assert first.endswith('msg="broken"')
    assert others
    assert all(line.startswith("    ") for line in others)
    assert "forged" in json.loads(JSONFormatter().format(record("broken", error=fault)))["traceback"]


def test_json_lines(recorded_sqlite: str) -> None:
    with running(database_url=recorded_sqlite, log_format="json") as service:
        answer = service.client.get("/v1/get_clan?id=1&x=y")
        time.sleep(0.3)
        start = service.process.output().partition("{")
        lines = [json.loads(line) for line in (start[1] + start[2]).splitlines()]

    (line,) = [line for line in lines if "path" in line]
    assert line.pop("time").endswith("Z")
    assert line.pop("ms") > 0
    assert line == {
        "level": "info",
        "method": "GET",
        "path": "/v1/get_clan?id=1&x=…",
        "status": 200,
        "bytes": len(answer.content),
        "client": "127.0.0.1",
        "id": answer.headers["X-Request-ID"],
        "route": "/v1/get_clan",
        "cache": "miss",
    }
    assert any("Uvicorn running on" in line.get("msg", "") for line in lines)


@pytest.mark.parametrize("setting", [{"access_log": "off"}, {"log_level": "warning"}])
def test_the_access_log_can_be_turned_off(recorded_sqlite: str, setting: dict[str, str]) -> None:
    with running(database_url=recorded_sqlite, **setting) as service:
        assert service.client.get("/v1/get_clan?id=1").headers["X-Request-ID"]
        time.sleep(0.3)
        assert "path=" not in service.process.output()


def test_the_request_id_of_a_trusted_proxy_is_used(recorded_sqlite: str) -> None:
    with running(database_url=recorded_sqlite) as service:
        for valid in ("a", "Z9-_", "x" * 64):
            assert (
                service.client.get("/v1/get_clan", headers={"X-Request-ID": valid}).headers["X-Request-ID"]
                == valid
            )
        for invalid in ("", "x" * 65, "a b", 'a"b', "a=b", "é"):
            got = service.client.get("/v1/get_clan", headers=[(b"X-Request-ID", invalid.encode())]).headers
            assert re.fullmatch("[0-9a-f]{32}", got["X-Request-ID"])
    with running(database_url=recorded_sqlite, trusted_proxies="10.0.0.0/8") as service:
        assert service.client.get("/", headers={"X-Request-ID": "mine"}).headers["X-Request-ID"] != "mine"


def test_a_slow_statement_is_logged_by_name(mariadb: MariaDB) -> None:
    url = mariadb.database("slow")
    mariadbd.execute(url, "CREATE TABLE users (id INT, name VARCHAR(32), priv INT)")
    settings = {"slow_statement": "0.2", "cache": "off"}
    with running(database_url=url, **settings) as service, ThreadPoolExecutor() as other:
        assert service.client.get("/v1/search_players").status_code == 200
        assert "slow statement" not in service.process.output()
        with closing(mariadbd.connect(url)) as lock:
            lock.cursor().execute("LOCK TABLES users WRITE")
            answer = other.submit(service.client.get, "/v1/search_players")
            time.sleep(0.5)
        assert answer.result(5).status_code == 200
        assert re.search(r"level=warning msg=\"slow statement: \w+\.sql took \d{3} ms", service.process.output())


def test_values_bound_to_a_slow_statement_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    observer = Observer(slow_statement=1e-9)
    with observer.statement("key_owner"):
        time.sleep(0.001)
    assert re.fullmatch(r"slow statement: key_owner\.sql took \d+ ms: answered", caplog.messages[0])
    with Observer(slow_statement=0).statement("key_owner"):
        time.sleep(0.001)
    assert len(caplog.messages) == 1


def test_start_and_end_are_logged(mariadb: MariaDB) -> None:
    url = mariadb.database("ending")
    mariadbd.execute(url, "CREATE TABLE users (id INT)")
    with running(database_url=url) as service, ThreadPoolExecutor() as other:
        with closing(mariadbd.connect(url)) as lock:
            lock.cursor().execute("LOCK TABLES users WRITE")
            answer = other.submit(service.client.get, "/v1/get_player_count")
            time.sleep(0.3)
            os.kill(service.process.pid, 15)
            time.sleep(0.3)
        assert answer.result(5).status_code == 200
        assert service.process.stop() == 0
        log = service.process.output()
    assert re.search(r'msg="Uvicorn running on http://127\.0\.0\.1:\d+', log)
    assert re.search(r'msg="worker \d+ is ready"', log)
    assert re.search(r'msg="worker \d+ has stopped; requests in flight: 1 answered, 0 cut off"', log)
    assert "get_player_count" in log


@contextmanager
def written_to(file: int, recorded_sqlite: str, **settings: str) -> Iterator[tuple[httpx2.Client, Any]]:
    """Run the service with the descriptor `file` as its standard error."""
    port = free_port()
    command = [sys.executable, str(ROOT / "main.py"), "serve", "--port", str(port)]
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": recorded_sqlite, **settings}
    child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=file, cwd="/")
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=5) as client:
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                try:
                    client.get("/v1/get_clan?id=1")
                    break
                except httpx2.ConnectError:
                    time.sleep(0.1)
            yield client, child
    finally:
        child.terminate()
        child.wait(15)


@pytest.mark.parametrize("pipe", ["full", "closed"])
def test_a_log_that_nobody_reads_does_not_block_requests(recorded_sqlite: str, pipe: str) -> None:
    reading, writing = os.pipe()
    if pipe == "full":
        os.set_blocking(writing, False)
        while select.select([], [writing], [], 0)[1]:
            os.write(writing, b"x" * 4096)
        os.set_blocking(writing, True)
    with written_to(writing, recorded_sqlite) as (client, child):
        os.close(writing)
        if pipe == "closed":
            os.close(reading)
        for _ in range(300):
            assert client.get("/v1/get_clan?id=1").elapsed.total_seconds() < 2
        time.sleep(0.3)
        assert client.get("/v1/get_clan?id=1").status_code == 200
        assert child.poll() is None
        if pipe == "full":
            # Once the pipe is read again, the queued lines arrive complete.
            text = b""
            while b"get_clan" not in text[-2000:] and select.select([reading], [], [], 3)[0]:
                text += os.read(reading, 65536)
            assert text.rstrip(b"\n").lstrip(b"x").count(b"get_clan?id=1") > 0
    if pipe == "full":
        os.close(reading)
    assert child.returncode == 0


def test_dropped_lines_are_counted() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    while select.select([], [writing], [], 0)[1]:
        os.write(writing, b"x" * 4096)
    writer = LogWriter(writing)
    writer.setFormatter(LogfmtFormatter())
    for number in range(MAX_QUEUED + 5):
        writer.handle(record("line %d", number))
    while select.select([reading], [], [], 0)[0]:
        os.read(reading, 65536)
    writer.flush()
    text = os.read(reading, 65536).decode().splitlines()
    assert text[0] == "(5 lines were lost: nobody read them)"
    assert 'msg="line 5"' in text[1]
    writer.close()
    os.close(reading)
    os.close(writing)


def test_a_message_that_cannot_be_formatted_costs_only_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    with (tmp_path / "log").open("wb") as file:
        writer = LogWriter(file.fileno())
        writer.setFormatter(LogfmtFormatter())
        writer.handle(record("%d", "x"))
        writer.handle(record("well"))
        writer.close()
    assert 'msg="well"' in (tmp_path / "log").read_text()


def test_an_abandoned_statement_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    observer = Observer(slow_statement=1e-9)
    for fault in (asyncio.CancelledError(), ValueError()):
        with pytest.raises(type(fault)), observer.statement("clan"):
            raise fault
    assert [message.rpartition(" ")[2] for message in caplog.messages] == ["abandoned", "ValueError"]
    assert observer.statements_running == 0
