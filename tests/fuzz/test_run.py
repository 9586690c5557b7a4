"""What the fuzzer finds wrong with a server that does something wrong, and the smallest case that shows it."""

import asyncio
import json
import re
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path

import pytest

from fuzz.checks import Checker, Problem
from fuzz.generate import Generator
from fuzz.messages import Case, Request
from fuzz.run import Client, Found, Result, run
from fuzz.target import Target
from fuzz.values import KEYS
from tests.support.openapi import DOCUMENT, PATHS
from tests.support.processes import Process

HOST, ID = (b"Host", b"a"), (b"X-Request-ID", b"a1")
CLAN = Request(b"GET", b"/api/get_clan/", (b"id=1",), (HOST, ID))
REPLAY = Request(b"GET", b"/v1/get_replay", (b"id=1",), (HOST, ID))
OTHER = Request(b"GET", b"/nothing", (), (HOST, ID))
BODY = json.dumps(
    PATHS["/v1/get_clan"]["get"]["responses"]["200"]["content"]["application/json"]["example"]
).encode()
JSON = b"Content-Type: application/json"
LIMITED = b"RateLimit-Limit: 1"
RESET = b"reset"
AWAY = b'{"status":"The database did not answer."}'


def response(status: int = 200, body: bytes = BODY, *headers: bytes, id: bytes = b"X-Request-ID: a1") -> bytes:
    length = b"Content-Length: %d" % len(body)
    return b"\r\n".join([b"HTTP/1.1 %d x" % status, length, *filter(None, (id, *(headers or (JSON,)))), b"", body])


@contextmanager
def server(answer: Callable[[bytes], bytes]) -> Iterator[tuple[str, int]]:
    """Run a server that sends what `answer` returns for what it has received, and closes if that is nothing."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(ConnectionError):
                while received := self._request():
                    sent = answer(received)
                    if sent == RESET:
                        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        self.request.close()
                        break
                    self.wfile.write(sent)
                    if not sent:
                        break

        def _request(self) -> bytes:
            head = b"".join(takewhile(lambda line: line not in (b"", b"\r\n"), self.rfile))
            length = re.search(rb"Content-Length: (\d+)", head)
            return head + (self.rfile.read(int(length[1])) if length else b"")

    socketserver.ThreadingTCPServer.allow_reuse_address = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            host, port = listening.server_address[:2]
            yield str(host), int(port)
        finally:
            listening.shutdown()
            thread.join()


def problem(sent: bytes, request: Request = CLAN, *, limited: bool = False, times: int = 1) -> str:
    """Return what is wrong with a response, empty if nothing is."""

    async def exchange(address: tuple[str, int]) -> Problem | None:
        client = Client(*address, Checker(DOCUMENT, limited=limited), 0.5)
        outcomes = [await client.exchange(Case(1, (request,))) for _ in range(times)]
        client.close()
        return outcomes[-1].problem

    with server(lambda _: sent) as address:
        found = asyncio.run(exchange(address))
    return found.what if found else ""


WRONG = {
    "nothing": (response(), CLAN, ""),
    "no id": (response(id=b""), CLAN, "no X-Request-ID"),
    "another id": (response(id=b"X-Request-ID: a2"), CLAN, "another X-Request-ID than the proxy's"),
    "500": (response(500), CLAN, "status 500"),
    "500 elsewhere": (response(500), OTHER, "status 500"),
    "418": (response(418), CLAN, "status 418, which is not documented"),
    "502": (response(502, b'{"status":"x"}'), OTHER, "status 502"),
    "text": (
        response(404, b"x", b"Content-Type: text/plain"),
        OTHER,
        "an error in another form than that of errors",
    ),
    "no Retry-After": (response(503, AWAY), CLAN, "status 503 without Retry-After"),
    "a message": (response(404, b'{"status":"Nope."}'), CLAN, "a message that is not documented"),
    "HTML": (response(200, BODY, b"Content-Type: text/html"), CLAN, "the media type 'text/html'"),
    "no JSON": (response(200, BODY[:-1]), CLAN, "no JSON"),
    "another key": (response(200, BODY[:-1] + b',"x":1}'), CLAN, "a body that its schema forbids"),
    "a missing key": (response(200, b'{"id":1}'), CLAN, "a body that its schema forbids"),
    "a header": (response(200, BODY, JSON, b"X-Injected: 1"), CLAN, "a header that the client made"),
    "a range": (
        response(206, b"abc", b"Content-Type: application/octet-stream", b"Content-Range: bytes 0-3/9"),
        REPLAY,
        "a wrong Content-Range",
    ),
    "a refusal": (
        response(400, b'{"status":"This is not a valid HTTP request."}', id=b""),
        CLAN,
        "a refusal that does not close the connection",
    ),
    "too short": (response()[:-1], CLAN, "nothing came for 0.5 s"),
    "too long": (response(200, BODY, JSON, b"Connection: close") + b"x", CLAN, "more than the response"),
    "no HTTP": (b"<html>\r\n\r\n", CLAN, "not valid HTTP"),
    "no response": (b"", CLAN, "no response"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_a_response(name: str) -> None:
    sent, request, what = WRONG[name]
    assert problem(sent, request) == what


def test_bytes_after_a_response_are_found_before_the_next_one() -> None:
    assert problem(response() + b"x", times=2) == "more than the response before this one"


def test_a_reset_is_a_problem_unless_more_was_being_sent() -> None:
    async def exchange(address: tuple[str, int], case: Case) -> Problem | None:
        return (await Client(*address, Checker(DOCUMENT, limited=False), 5).exchange(case)).problem

    with server(lambda _: RESET) as address:
        alone = asyncio.run(exchange(address, Case(1, (CLAN,))))
        assert alone
        assert alone.what == "the connection was reset"
        for case in (Case(1, (CLAN, CLAN)), Case(1, (CLAN,), cuts=(len(CLAN.encode()),))):
            assert asyncio.run(exchange(address, case)) is None


def test_rate_limit_headers_are_required_where_there_is_a_limit() -> None:
    assert problem(response(), limited=True) == "no RateLimit headers"
    assert problem(response(200, BODY, JSON, LIMITED), limited=True) == ""


def test_a_run_counts_and_groups_what_it_finds() -> None:
    checker = Checker(DOCUMENT, limited=False)
    generator = Generator(1, DOCUMENT)

    async def send(address: tuple[str, int]) -> Result:
        clients = [Client(*address, checker, 5) for _ in range(2)]
        return await run(clients, checker, generator, range(60), lambda: 1.0)

    with server(lambda _: response(500, b"oops")) as address:
        result = asyncio.run(send(address))
    assert result.cases == 60
    assert result.statuses[500] > 40
    assert sum(found.count for found in result.found.values()) > 40
    assert len(result.found) < 60


def test_a_case_is_made_smaller() -> None:
    headers = (HOST, ID, *((b"X-%d" % number, b"y" * 50) for number in range(40)), (b"X-Bad", b"a boom b"))
    bad = Request(b"GET", b"/v1/online", (b"a=1", b"b=2"), headers, b"body")
    found = Found(Problem("status 500", "GET /v1/online"), Case(7, (bad,), cuts=(10,)))

    def answer(received: bytes) -> bytes:
        return (
            response(500) if b"boom" in received else response(200, b'{"status":"success","players":[],"bots":[]}')
        )

    async def shrink(address: tuple[str, int]) -> None:
        await Client(*address, Checker(DOCUMENT, limited=False), 5).shrink(found)

    with server(answer) as address:
        asyncio.run(shrink(address))
    assert found.again
    assert found.case
    assert found.case.cuts == ()
    (request,) = found.case.requests
    assert (request.query, request.body) == ((), b"")
    assert [name for name, _ in request.headers] == [b"Host", b"X-Request-ID", b"X-Bad"]
    assert len(request.headers[-1][1]) <= len(b"a boom b")


def test_a_problem_that_does_not_come_again_is_told() -> None:
    found = Found(Problem("status 500", "GET /v1/get_clan"), Case(1, (CLAN,)))

    async def shrink(address: tuple[str, int]) -> None:
        await Client(*address, Checker(DOCUMENT, limited=False), 5).shrink(found)

    with server(lambda _: response()) as address:
        asyncio.run(shrink(address))
    assert not found.again


def test_what_must_not_be_in_the_log(tmp_path: Path) -> None:
    key = next(iter(KEYS))
    lines = [
        "apidot with anything before the first line",
        'time=2026-01-01T00:00:00.000Z level=info msg="worker 1 is ready"',
        "time=2026-01-01T00:00:00.000Z level=error msg=\"request a1 failed: GET '/'\"",
        "    Traceback (most recent call last):",
        "    ZeroDivisionError: division by zero",
        f'time=2026-01-01T00:00:00.000Z level=warning msg="{key}"',
        "forged",
        "",
    ]
    log = tmp_path / "log"
    log.write_text("\n".join(lines))
    process = Process(["true"], ready=lambda: True, log=log)
    target = Target("127.0.0.1", 1, process, "", tmp_path)
    assert [(problem.what, problem.where) for problem in target.faults_in_log()] == [
        ("an error in the log", "ZeroDivisionError: division by zero"),
        ("an API key in the log", "the log"),
        ("a line that is not one of the log's", "forged"),
    ]
    assert list(target.warnings()) == [f'msg="{key}"']
