"""New scores over a WebSocket: Ripple's messages, letter for letter, to a common client."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.conftest import PLAYER, RESTRICTED, Playground, ServiceClient, playground, running, service
from tests.support.new_scores import insert

HIDDEN = 29
# Seconds in which nothing may come: several looks.
QUIET = 2.5
IDS = count(7001)


@contextmanager
def connected(client: ServiceClient, path: str = "/api/v1/ws", **headers: str) -> Iterator[ClientConnection]:
    """Open a WebSocket, and take the greeting."""
    with connect(f"ws://127.0.0.1:{client.base_url.port}{path}", additional_headers=headers, proxy=None) as socket:
        assert socket.recv(10) == '{"type":"connected"}'
        yield socket


def said(socket: ClientConnection, sent: str | bytes) -> str | bytes:
    """Send a message, and return the answer."""
    socket.send(sent)
    return socket.recv(20)


def subscribe(socket: ClientConnection, data: Any = None) -> None:
    answer = json.loads(said(socket, json.dumps({"type": "subscribe_scores", "data": data})))
    assert answer["type"] == "subscribed_to_scores"


def scores(socket: ClientConnection, number: int) -> list[int]:
    """Return the ids of the next scores, of which there are no more."""
    found = [json.loads(socket.recv(20)) for _ in range(number)]
    assert {message["type"] for message in found} <= {"new_score"}
    with pytest.raises(TimeoutError):
        socket.recv(QUIET)
    return [message["data"]["id"] for message in found]


def test_the_exchange_of_messages_that_ripple_documents(uncached: Playground) -> None:
    with connected(uncached.client) as socket:
        assert said(socket, '{"type":"ping"}') == '{"type":"pong"}'
        assert said(socket, '{"type":"subscribe_scores","data":[]}') == '{"type":"subscribed_to_scores","data":[]}'
        uncached.sql(
            insert(7001, play_time="2026-01-02 03:04:05", grade="XH", perfect=1, status=2, mods=80, mode=0)
        )
        info = uncached.client.get("/v1/get_score_info?id=7001").json()["score"]
        message = json.loads(socket.recv(20))
        assert message["data"].pop("time").endswith("Z")
        assert message == {
            "type": "new_score",
            "data": {
                "id": 7001,
                "beatmap_md5": info["map_md5"],
                "score": info["score"],
                "max_combo": info["max_combo"],
                "full_combo": True,
                "mods": 80,
                "count_300": info["n300"],
                "count_100": info["n100"],
                "count_50": info["n50"],
                "count_geki": info["ngeki"],
                "count_katu": info["nkatu"],
                "count_miss": info["nmiss"],
                "play_mode": 0,
                "accuracy": info["acc"],
                "pp": info["pp"],
                "rank": "SSHD",
                "completed": 3,
                "user_id": 12,
                "user": {"id": 12, "username": info["player_name"], "privileges": 3},
            },
        }


def test_the_time_is_that_of_the_game_server_s_zone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'world.sqlite'}"
    with playground(tmp_path, url, time_zone="Asia/Tokyo") as here, connected(here.client) as socket:
        subscribe(socket)
        here.sql(insert(7001, play_time="2026-01-02 03:04:05"))
        assert json.loads(socket.recv(20))["data"]["time"] == "2026-01-01T18:04:05Z"


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"status": 0, "grade": "F"}, {"completed": 0, "rank": "F", "play_mode": 0}),
        ({"status": 1, "grade": "X"}, {"completed": 2, "rank": "SS"}),
        ({"status": 2, "grade": "SH"}, {"completed": 3, "rank": "SHD"}),
        ({"mode": 3, "grade": "A"}, {"play_mode": 3, "rank": "A", "mods": 0}),
        ({"mode": 5}, {"play_mode": 1, "mods": 128}),
        ({"mode": 4, "mods": 128 | 64}, {"play_mode": 0, "mods": 128 | 64}),
        ({"mode": 8}, {"play_mode": 0, "mods": 8192}),
        ({"perfect": 0}, {"full_combo": False}),
    ],
)
def test_modes_grades_and_states(on_sqlite: Playground, columns: dict[str, Any], expected: dict[str, Any]) -> None:
    with connected(on_sqlite.client) as socket:
        subscribe(socket, [])
        on_sqlite.sql(insert(next(IDS), **({"mods": 0} | columns)))
        data = json.loads(socket.recv(20))["data"]
        assert {name: data[name] for name in expected} == expected


def test_subscriptions_to_players_and_modes(uncached: Playground) -> None:
    with (
        connected(uncached.client) as to_all,
        connected(uncached.client, "/v1/ws") as to_some,
        connected(uncached.client) as to_none,
    ):
        subscribe(to_all)
        subscribe(to_none, [{"user": 5}])
        # The last subscription counts.
        subscribe(to_none, [{"user": 12, "modes": [1]}, {"user": 99999}])
        answer = said(to_some, '{"type":"subscribe_scores","data":[{"user":5,"modes":[0,3]},{"user":7}]}')
        assert answer == (
            '{"type":"subscribed_to_scores","data":[{"user":5,"modes":[0,3]},{"user":7,"modes":null}]}'
        )
        uncached.sql(
            insert(7001, userid=5, mode=0),
            insert(7002, userid=5, mode=1),
            insert(7003, userid=5, mode=4),
            insert(7004, userid=7, mode=2, status=0),
            insert(7005, userid=12, mode=0),
            insert(7006, userid=HIDDEN),
        )
        assert scores(to_all, 5) == [7001, 7002, 7003, 7004, 7005]
        assert scores(to_some, 3) == [7001, 7003, 7004]
        assert scores(to_none, 0) == []


def test_without_a_subscription_nothing_is_sent(uncached: Playground) -> None:
    with connected(uncached.client) as socket:
        assert said(socket, '{"type":"ping"}') == '{"type":"pong"}'
        uncached.sql(insert(7001))
        assert scores(socket, 0) == []


def test_the_other_messages_are_acknowledged(on_sqlite: Playground) -> None:
    with connected(on_sqlite.client) as socket:
        matches = '{"type":"subscribe_mp_complete_match"}'
        assert said(socket, matches) == '{"type":"subscribed_mp_complete_match"}'
        for visible in ("true", "false"):
            answer = said(socket, f'{{"type":"set_restricted_visibility","data":{visible}}}')
            assert answer == '{"type":"restricted_visibility_set","data":false}'


@pytest.mark.parametrize("token", [RESTRICTED, "nobody's", "", "x" * 10_000, "é"])
def test_a_token_that_nobody_has(on_sqlite: Playground, token: str) -> None:
    with connected(on_sqlite.client) as socket:
        answer = said(socket, json.dumps({"type": "identify", "data": {"token": token, "is_bearer": False}}))
        assert answer == '{"type":"not_found","data":"Nobody has this token."}'


def test_a_client_may_say_who_it_is(on_sqlite: Playground) -> None:
    with connected(on_sqlite.client) as socket:
        answer = json.loads(said(socket, json.dumps({"type": "identify", "data": {"token": PLAYER}})))
        name = on_sqlite.client.get("/v1/get_player_info?scope=info&id=12").json()["player"]["info"]["name"]
        assert answer == {
            "type": "identified",
            "data": {
                "id": 12,
                "username": name,
                "user_privileges": 3,
                "token_privileges": 0,
                "application_id": None,
            },
        }


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "nonsense",
        "[]",
        "null",
        "{}",
        '{"type":5}',
        '{"type":"unknown"}',
        '{"type":"ping"} {"type":"ping"}',
        '{"type":"\\ud800"}',
        '{"type":"subscribe_scores","data":{}}',
        '{"type":"subscribe_scores","data":[5]}',
        '{"type":"subscribe_scores","data":[{}]}',
        '{"type":"subscribe_scores","data":[{"user":"5"}]}',
        '{"type":"subscribe_scores","data":[{"user":5,"modes":["0"]}]}',
        '{"type":"subscribe_scores","data":[{"user":9223372036854775808}]}',
        '{"type":"subscribe_scores","data":[{"user":' + "9" * 10_000 + "}]}",
        '{"type":"subscribe_scores","data":[' + ",".join(['{"user":5}'] * 501) + "]}",
        '{"type":"subscribe_scores","data":' + "[" * 8000 + "]" * 8000 + "}",
        '{"type":"unknown","data":' + '{"a":' * 2500 + "1" + "}" * 2500 + "}",
        "[" * 16_000,
        '{"type":"identify"}',
        '{"type":"identify","data":{"token":5}}',
        '{"type":"set_restricted_visibility"}',
        '{"type":"set_restricted_visibility","data":1}',
        b'{"type":"ping"}',
        b"\xff",
    ],
)
def test_a_message_that_is_not_valid_is_answered_with_what_is_wrong(
    on_sqlite: Playground, sent: str | bytes
) -> None:
    with connected(on_sqlite.client) as socket:
        answer = json.loads(said(socket, sent))
        assert answer["type"] == "invalid_message_type"
        assert answer["data"]
        assert said(socket, '{"type":"ping"}') == '{"type":"pong"}'
    assert "Traceback" not in on_sqlite.process.output(100)


def test_websockets_count_with_streams(recorded_sqlite: str) -> None:
    settings = {"event_streams_per_client": "2", "event_streams": "3", "trusted_proxies": "127.0.0.1"}
    with (
        service(database_url=recorded_sqlite, **settings) as client,
        connected(client),
        client.stream("GET", "/v1/events") as stream,
    ):
        assert stream.status_code == 200
        with pytest.raises(InvalidStatus) as refused, connected(client):
            pass
        response = refused.value.response
        assert response.status_code == 429
        assert response.headers["Retry-After"] == "5"
        assert json.loads(response.body) == {
            "status": "You have 2 streams of events open, the most that one client may have."
        }
        with connected(client, **{"X-Forwarded-For": "192.0.2.1"}) as socket:
            assert said(socket, '{"type":"ping"}') == '{"type":"pong"}'
            with pytest.raises(InvalidStatus) as refused, connected(client, **{"X-Forwarded-For": "192.0.2.2"}):
                pass
            assert refused.value.response.status_code == 503


def test_the_end_of_the_service(recorded_sqlite: str) -> None:
    with running(database_url=recorded_sqlite) as here, connected(here.client) as socket:
        subscribe(socket)
        here.process.stop()
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(20)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
