"""The load sends requests on time, and tells right responses from others."""

import time
from collections import Counter

import pytest

from faults.load import RATE, Copies, Kind, Load, Request, Response, copies_of, judge
from tests.support.http_stub import Answer, Asked, answering
from tests.support.processes import free_port

COPIES: Copies = {"/v1/a": frozenset({(200, b"right"), (404, b"none")}), "/v2/b": frozenset({(200, b"right")})}
RETRY = {"Retry-After": "2"}


@pytest.mark.parametrize(
    ("path", "response", "kind"),
    [
        ("/v1/a", Response(200, {}, b"right"), Kind.FRESH),
        ("/v1/a", Response(404, {}, b"none"), Kind.FRESH),
        ("/v1/a", Response(200, {"Age": "3", "Cache-Control": "public, max-age=3"}, b"right"), Kind.FRESH),
        ("/v1/a", Response(200, {"Age": "4", "Cache-Control": "public, max-age=3"}, b"right"), Kind.STALE),
        ("/v1/a", Response(200, {"Age": "6", "Cache-Control": "no-cache"}, b"right"), Kind.STALE),
        ("/v1/a", Response(200, {"Age": "5", "Cache-Control": "no-cache"}, b"right"), Kind.FRESH),
        ("/v1/a", Response(200, {}, b"wrong"), Kind.WRONG),
        ("/v1/a", Response(404, {}, b"other"), Kind.UNDOCUMENTED),
        ("/v1/a", Response(500, {}, b"{}"), Kind.UNDOCUMENTED),
        ("/v1/a", Response(503, RETRY, b'{"status":"away"}'), Kind.UNAVAILABLE),
        ("/v1/a", Response(503, {}, b'{"status":"away"}'), Kind.UNDOCUMENTED),
        ("/v1/a", Response(503, RETRY, b"Service Unavailable"), Kind.UNDOCUMENTED),
        ("/v1/a", Response(503, RETRY, b'{"status":""}'), Kind.UNDOCUMENTED),
        ("/v2/b", Response(503, RETRY, b'{"status":"error","error":"away"}'), Kind.UNAVAILABLE),
        ("/v2/b", Response(503, RETRY, b'{"status":"away"}'), Kind.UNDOCUMENTED),
        ("/v1/unknown", Response(200, {}, b"anything"), Kind.FRESH),
        ("/v1/unknown", Response(404, {}, b"anything"), Kind.UNDOCUMENTED),
    ],
)
def test_responses_are_judged(path: str, response: Response, kind: Kind) -> None:
    assert judge(path, response, COPIES)[0] is kind


def test_the_load_goes_on_while_responses_are_late() -> None:
    def slow(_: Asked) -> Answer:
        time.sleep(0.5)
        return Answer(200, b"right")

    with answering(slow) as port, Load(f"http://127.0.0.1:{port}", COPIES, change=None, seed=1) as load:
        time.sleep(1)
        load.stop()
        assert RATE * 0.8 <= len(load.outcomes) <= RATE * 1.2
        assert {outcome.kind for outcome in load.outcomes} == {Kind.FRESH}
        assert min(outcome.seconds for outcome in load.outcomes) >= 0.5


def test_what_came_of_requests_and_changes_is_recorded() -> None:
    def answer(asked: Asked) -> Answer:
        if asked.method == "POST":
            return Answer(200 if asked.body == b"1" else 500, b"")
        return Answer(200, b"right" if asked.path == "/v1/a" else b"wrong")

    def change(number: int) -> Request:
        return Request("/change", "POST", {}, str(number).encode())

    with answering(answer) as port, Load(f"http://127.0.0.1:{port}", COPIES, change=change, seed=1) as load:
        time.sleep(0.6)
        load.stop()
        kinds = Counter((outcome.path, outcome.kind) for outcome in load.outcomes)
        assert kinds.keys() == {("/v1/a", Kind.FRESH), ("/v2/b", Kind.WRONG)}
        assert [(change.number, change.outcome.kind) for change in load.changes[:2]] == [
            (1, Kind.FRESH),
            (2, Kind.UNDOCUMENTED),
        ]


def test_requests_to_nobody_are_lost() -> None:
    with Load(f"http://127.0.0.1:{free_port()}", COPIES, change=None, seed=1) as load:
        assert load.first_fresh(Request("/v1/a"), 0.3) is None
        load.stop()
        assert {outcome.kind for outcome in load.outcomes} == {Kind.LOST}


def test_the_first_fresh_response_is_waited_for() -> None:
    start = time.monotonic()

    def answer(_: Asked) -> Answer:
        return Answer(200, b"right") if time.monotonic() - start > 0.5 else Answer(500, b"")

    with answering(answer) as port, Load(f"http://127.0.0.1:{port}", COPIES, change=None, seed=1) as load:
        waited = load.first_fresh(Request("/v1/a"), 10)
        assert waited is not None
        assert 0.2 < waited < 5


def test_copies_are_not_taken_of_errors() -> None:
    def answer(asked: Asked) -> Answer:
        return Answer(500 if asked.path == "/bad" else 404, b"body")

    with answering(answer) as port:
        assert copies_of(f"http://127.0.0.1:{port}", ["/good"]) == {"/good": frozenset({(404, b"body")})}
        with pytest.raises(ValueError, match="/bad: status 500"):
            copies_of(f"http://127.0.0.1:{port}", ["/bad"])
