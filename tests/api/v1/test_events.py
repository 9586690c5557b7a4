"""Live events: what is told to whom, and how streams begin and end."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message

from api.response.event_stream import EventStream
from api.routes import V1
from domain.errors import APIError
from domain.live import Live
from storage.database.database import Database
from storage.events.event import Filter
from storage.events.hub import Hub
from tests.api.test_hostile import HOSTILE
from tests.conftest import Playground, playground, running, service
from tests.support import mariadbd, servers
from tests.support.event_stream import EventClient, Received, listening
from tests.support.game_server import DOMAIN, GameServer, game_server, match
from tests.support.new_scores import TEMPLATE, insert
from tests.support.servers import MariaDB

HIDDEN = 29
MD5 = TEMPLATE["map_md5"]
# Seconds in which nothing may come: several looks.
QUIET = 2.5


@pytest.fixture
def here(uncached: Playground) -> Playground:
    return uncached


def begun(stream: EventClient) -> dict[str, Any]:
    data: dict[str, Any] = stream.next("hello").data
    return data


def scores(events: list[Received]) -> list[int]:
    assert {event.type for event in events} <= {"score"}
    return [event.score for event in events]


def info_of(here: Playground, id: int) -> dict[str, Any]:
    """Return the score as get_score_info does, without has_replay: a replay may be stored after its score."""
    info: dict[str, Any] = here.client.get(f"/v1/get_score_info?id={id}").json()["score"]
    del info["has_replay"]
    return info


def test_a_new_score_is_told(here: Playground) -> None:
    with listening(here.client) as stream:
        assert stream.response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert stream.response.headers["Cache-Control"] == "no-store"
        assert stream.response.headers["X-Accel-Buffering"] == "no"
        assert stream.response.headers["Access-Control-Allow-Origin"] == "*"
        assert {"ETag", "Content-Encoding", "Age"}.isdisjoint(stream.response.headers)
        assert begun(stream) == {"last_id": "7000", "online": 0}
        here.sql(insert(7001))
        event = stream.next("score")
        assert event.id == "7001"
        info = info_of(here, 7001)
        assert event.data == {
            "score": info,
            "beatmap": here.client.get(f"/v1/get_map_info?md5={MD5}").json()["map"],
            "player": {
                "id": 12,
                "name": info["player_name"],
                "country": info["player_country"],
                "clan": {"id": info["clan_id"], "name": info["clan_name"], "tag": info["clan_tag"]},
            },
        }
        assert list(event.data["score"]) == list(info)


def test_a_score_on_an_unknown_beatmap(here: Playground) -> None:
    with listening(here.client) as stream:
        begun(stream)
        here.sql(insert(7001, map_md5="f" * 32, userid=5))
        data = stream.next("score").data
        assert (data["beatmap"], data["score"]["beatmap"]) == (None, None)
        assert data["player"]["clan"] == (None if data["score"]["clan_id"] is None else data["player"]["clan"])


def test_hidden_players_are_never_told(here: Playground) -> None:
    with listening(here.client, types="score,first_place", include_failed="true") as stream:
        begun(stream)
        here.sql(insert(7001, userid=HIDDEN), insert(7002, userid=16), insert(7003), insert(7004, userid=99999))
        assert stream.next("score").score == 7003
        assert stream.rest(QUIET) == []
        here.sql(f"UPDATE users SET priv = 2 WHERE id = {TEMPLATE['userid']}")
    # Who is hidden later is not told to a client that connects again.
    with listening(here.client, last_id="7000", include_failed="true") as stream:
        begun(stream)
        assert stream.rest(QUIET) == []


def test_filters(here: Playground) -> None:
    with (
        listening(here.client, id="5,7") as of_players,
        listening(here.client, mode="1, 7", include_failed="1") as of_modes,
        listening(here.client, map=str(MD5).upper()) as of_map,
    ):
        for stream in (of_players, of_modes, of_map):
            begun(stream)
        here.sql(
            insert(7001, userid=5, map_md5="f" * 32),
            insert(7002, userid=7, status=0, mode=8),
            insert(7003, mode=1),
            insert(7004, mode=4),
        )
        assert scores([of_map.next("score"), of_map.next("score")]) == [7003, 7004]
        assert scores([of_modes.next("score"), of_modes.next("score")]) == [7002, 7003]
        assert of_players.next("score").score == 7001
        assert [stream.rest(0.2) for stream in (of_players, of_modes, of_map)] == [[], [], []]


@pytest.mark.parametrize(
    ("query", "status", "text"),
    [
        ("types=scores", 422, "types must be one of score, first_place, player, match."),
        ("types=score,", 422, "types must be one of score, first_place, player, match."),
        ("types=score,score,score,score,score", 422, "types must have at most 4 values."),
        ("id=x", 422, "id must be a whole number."),
        ("id=2", 422, "id must be at least 3."),
        ("id=" + ",".join(map(str, range(3, 54))), 422, "id must have at most 50 values."),
        ("mode=12", 422, "mode must be at most 11."),
        ("mode=0,9", 400, "Invalid gamemode."),
        ("map=abc", 422, "map must have at least 32 characters."),
        ("include_failed=2", 422, "include_failed must be true or false."),
        ("last_id=x", 422, None),
        ("last_id=-1", 422, None),
        ("last_id=9223372036854775808", 422, None),
        ("last_id=5.", 422, None),
    ],
)
def test_wrong_parameters(on_sqlite: Playground, query: str, status: int, text: str | None) -> None:
    response = on_sqlite.client.get(f"/v1/events?{query}")
    assert response.status_code == status
    assert text is None or response.json()["status"] == text


def test_hostile_parameters(on_sqlite: Playground) -> None:
    for name in V1["events"].params.__struct_fields__:
        for value in HOSTILE:
            response = on_sqlite.client.head(f"/v1/events?{name}={value}")
            assert response.status_code in (200, 400, 422), (name, value)


def test_head_and_all_paths(on_sqlite: Playground) -> None:
    for path in ("/events", "/v1/events", "/api/events", "/api/v1/events/"):
        response = on_sqlite.client.head(path)
        assert (response.status_code, response.content) == (200, b"")
        assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert on_sqlite.client.post("/v1/events").status_code == 405


def test_limits(recorded_sqlite: str) -> None:
    settings = {"event_streams_per_client": "2", "event_streams": "3", "trusted_proxies": "127.0.0.1"}
    with service(database_url=recorded_sqlite, **settings) as client:
        with listening(client), listening(client):
            refused = client.get("/v1/events")
            assert refused.status_code == 429
            assert refused.json() == {
                "status": "You have 2 streams of events open, the most that one client may have."
            }
            assert refused.headers["Retry-After"] == "5"
            assert client.head("/v1/events").status_code == 200
            # Those that connect again, perhaps from another worker.
            with listening(client, "7000") as third, listening(client, "7000") as fourth:
                assert (third.status, fourth.status) == (200, 200)
                assert client.get("/v1/events", headers={"Last-Event-ID": "7000"}).status_code == 429
            eventually(lambda: "apidot_event_listeners 2.0" in client.get("/metrics").text)
            other = {"X-Forwarded-For": "192.0.2.1"}
            with client.stream("GET", "/v1/events", headers=other) as stream:
                assert stream.status_code == 200
                refused = client.get("/v1/events", headers={"X-Forwarded-For": "192.0.2.2"})
                assert refused.status_code == 503
                assert refused.json() == {"status": "All 3 streams of events are taken."}
        eventually(lambda: client.head("/v1/events").status_code == 200)
        with listening(client) as one, listening(client) as two:
            assert (one.status, two.status) == (200, 200)


def eventually(holds: Any, seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_client_that_connects_again_gets_what_it_has_missed(here: Playground) -> None:
    with listening(here.client) as stream:
        last_id = begun(stream)["last_id"]
    here.sql(*(insert(id) for id in range(7001, 7250)), insert(7250, status=0), insert(7251))
    with listening(here.client, last_id) as stream:
        begun(stream)
        missed = [stream.next("score") for _ in range(250)]
        assert scores(missed) == [*range(7001, 7250), 7251]
        here.sql(insert(7252))
        assert stream.next("score").score == 7252
    # From the middle, and as a parameter, which the header overrides.
    with listening(here.client, missed[247].id, last_id="7000") as stream:
        begun(stream)
        assert scores([stream.next("score") for _ in range(3)]) == [7249, 7251, 7252]
        assert stream.rest(QUIET) == []


def test_the_last_id_as_a_parameter_and_a_header_that_cannot_be_read(here: Playground) -> None:
    here.sql(insert(7001))
    for header in ("", "nonsense", "1" * 300):
        with listening(here.client, header, last_id="7000") as stream:
            begun(stream)
            assert stream.next("score").score == 7001
    with listening(here.client, "nonsense") as stream:
        assert begun(stream)["last_id"] == "7001"
        assert stream.rest(QUIET) == []


def test_a_client_that_has_missed_too_much_goes_on_from_now(here: Playground) -> None:
    with listening(here.client, last_id="1999") as stream:
        begun(stream)
        stream.next("reset")
        here.sql(insert(7001))
        assert stream.next("score").score == 7001
    with listening(here.client, last_id="2001", include_failed="true") as stream:
        begun(stream)
        assert stream.next("score").score >= 2002
    # It has seen scores that there are no more.
    with listening(here.client, last_id="9000") as stream:
        begun(stream)
        stream.next("reset")
        here.sql(insert(7002))
        assert stream.next("score").score == 7002


def test_scores_that_are_committed_late(tmp_path: Path, mariadb: MariaDB) -> None:
    url = mariadb.database("events")
    with (
        playground(tmp_path, url) as here,
        listening(here.client) as stream,
        closing(mariadbd.connect(url)) as late,
        closing(mariadbd.connect(url)) as rolled_back,
    ):
        begun(stream)
        late.begin()
        late.cursor().execute(insert())
        rolled_back.begin()
        rolled_back.cursor().execute(insert())
        here.sql(insert(), insert())
        early = [stream.next("score"), stream.next("score")]
        assert scores(early) == [7003, 7004]
        assert early[-1].id == "7004.7002.7001"
        with listening(here.client, early[-1].id) as again:
            begun(again)
            assert again.rest(QUIET) == []
            late.commit()
            rolled_back.rollback()
            for each in (stream, again):
                assert each.next("score").score == 7001
                assert each.last_id == "7004.7002"
        # What comes while a client is away.
        rolled_back.cursor().execute(insert(7002))
        assert stream.next("score").score == 7002
        with listening(here.client, "7004.7002.7001") as again:
            begun(again)
            assert scores([again.next("score"), again.next("score")]) == [7001, 7002]
            assert again.rest(QUIET) == []


def test_an_id_that_never_comes_is_given_up(here: Playground) -> None:
    with listening(here.client) as stream:
        begun(stream)
        here.sql(insert(7003))
        assert stream.next("score").id == "7003.7002.7001"
        here.client.advance(11)
        time.sleep(1.5)
        here.sql(insert(7002), insert(7004))
        event = stream.next("score")
        assert (event.score, event.id) == (7004, "7004")


def test_scores_are_wiped(here: Playground) -> None:
    with listening(here.client) as stream:
        begun(stream)
        here.sql("DELETE FROM scores WHERE id > 6000")
        time.sleep(1.5)
        here.client.advance(11)
        time.sleep(1.5)
        here.sql(insert(6001))
        assert stream.next("score").score == 6001
        # One score alone: ids go on as before.
        here.sql("DELETE FROM scores WHERE id = 6001", insert(6002))
        assert stream.next("score").score == 6002


def test_first_places(here: Playground) -> None:
    def first(id: int, **columns: object) -> Received:
        here.sql(insert(id, status=2, **columns))
        told = stream.next("first_place")
        board = here.client.get(
            f"/v1/get_map_scores?scope=best&md5={columns.get('map_md5', MD5)}&limit=1&mode="
            f"{columns.get('mode', 0)}"
        ).json()["scores"]
        assert [row["id"] for row in board] == [id]
        assert told.id.split(".")[0] == str(id)
        return told

    with listening(here.client, types="first_place") as stream:
        begun(stream)
        leader = here.client.get(f"/v1/get_map_scores?scope=best&md5={MD5}&limit=1").json()["scores"][0]
        told = first(7001, score=2_000_000_000, userid=5, pp=0.1)
        assert told.data["previous"] == {"id": leader["userid"], "name": leader["player_name"]}
        assert told.data["score"] == info_of(here, 7001)
        # Not better; equal but later; best by pp in a mode by score; of a hidden player; not ranked; not the best.
        here.sql(
            insert(7002, status=2, score=1_999_999_999, userid=7),
            insert(7003, status=2, score=2_000_000_000, userid=8),
            insert(7004, status=2, pp=9999, userid=9),
            insert(7005, status=2, score=2_100_000_000, userid=HIDDEN),
            insert(7006, status=2, score=2_100_000_000, map_md5="dd2cefb86f4f9cbd2eab07c970674db5"),
            insert(7007, status=1, score=2_100_000_000),
        )
        assert stream.rest(QUIET) == []
        # The same player again: the best score until then is the best no more.
        here.sql("UPDATE scores SET status = 1 WHERE id = 7001")
        assert first(7010, score=2_050_000_000, userid=5).data["previous"]["id"] == 5
        # By pp with Relax, where nobody was first on this beatmap.
        here.sql(f"DELETE FROM scores WHERE map_md5 = '{MD5}' AND mode = 4")
        assert first(7020, mode=4, pp=100, score=5).data["previous"] is None
        assert first(7021, mode=4, pp=101, score=1, userid=7).data["previous"]["id"] == 12
    with (
        listening(here.client, types="score,first_place") as both,
        listening(here.client) as only_scores,
    ):
        begun(both)
        begun(only_scores)
        before = both.last_id
        here.sql(insert(7030, mode=4, pp=102, status=2))
        # A client that is cut off between the two gets both again.
        assert both.next("score").id == before
        assert both.next("first_place").id.split(".")[0] == "7030"
        assert only_scores.next("score").id.split(".")[0] == "7030"
        here.sql("DELETE FROM scores WHERE id = 7030", insert(7031, status=0))
    with listening(here.client, types="score,first_place", last_id="7019.7010") as stream:
        begun(stream)
        types = [(event.type, event.score) for event in stream.rest(QUIET)]
        assert types == [
            ("score", 7010),
            ("first_place", 7010),
            ("score", 7020),
            ("score", 7021),
            ("first_place", 7021),
        ]


@pytest.fixture
def server() -> Iterator[GameServer]:
    with game_server() as running:
        yield running


def test_players_and_matches(server: GameServer, recorded_sqlite: str) -> None:
    server.users = {5: "bel_ren44453", 41: "pixbrelux"}
    live = {"database_url": recorded_sqlite, "game_server_url": server.url, "domain": DOMAIN}
    with service(**live) as client, listening(client, types="player,match") as stream:
        assert begun(stream)["last_id"] is None
        server.users = {12: "jaxtal66314", 16: "[ra]shi"}
        events = [stream.next("player").data, stream.next("player").data]
        assert events == [
            {"id": 5, "name": "bel ren44453", "online": False},
            {"id": 12, "name": "Jaxtal66314", "online": True},
        ]
        server.matches[7] = match("a match", (16, "[RA]Shi"))
        opened = stream.next("match")
        assert opened.id == ""
        assert (opened.data["id"], opened.data["change"]) == (7, "opened")
        assert opened.data["match"] == client.get("/v1/get_matches").json()["matches"][0]
        assert opened.data["match"]["host"] is None
        server.matches[7] = match("a match", (16, "[RA]Shi"), in_progress=True)
        assert stream.next("match").data["match"]["in_progress"] is True
        del server.matches[7]
        assert stream.next("match").data == {"id": 7, "change": "closed", "match": None}
        assert stream.rest(QUIET) == []


def test_a_game_server_that_does_not_answer_tells_nothing(server: GameServer, recorded_sqlite: str) -> None:
    server.users = {5: "bel_ren44453"}
    live = {"database_url": recorded_sqlite, "game_server_url": server.url, "domain": DOMAIN}
    with service(**live) as client, listening(client, types="player") as stream:
        assert begun(stream)["online"] == 1
        server.mode = "hung"
        assert stream.rest(QUIET) == []
        server.mode, server.users = "up", {}
        assert stream.next("player").data == {"id": 5, "name": "bel ren44453", "online": False}


@pytest.mark.parametrize("failure", ["hung", "another page"])
def test_scores_do_not_wait_for_the_game_server(server: GameServer, tmp_path: Path, failure: str) -> None:
    if failure == "hung":
        server.mode = "hung"
    else:
        server.other_pages = (200, b"<html>another page</html>")
    url = f"sqlite:///{tmp_path / 'world.sqlite'}"
    with (
        playground(tmp_path, url, game_server_url=server.url, domain=DOMAIN) as here,
        listening(here.client, types="score,player,match") as stream,
    ):
        assert begun(stream)["last_id"] == "7000"
        here.sql(insert(7001))
        assert stream.next("score").score == 7001
        server.mode, server.other_pages, server.users = "up", None, {}
        # The first answer is what there was; what comes after that is told.
        time.sleep(4)
        server.users = {5: "bel_ren44453"}
        assert stream.next("player").data["online"] is True


def test_comments_come_and_bye_when_the_service_stops(recorded_sqlite: str) -> None:
    with running(database_url=recorded_sqlite) as (client, process), listening(client) as stream:
        begun(stream)
        client.advance(15)
        eventually(lambda: stream.comments == 1)
        assert stream.rest(0.1) == []
        begin = time.monotonic()
        assert process.stop() == 0
        assert time.monotonic() - begin < 5
        stream.next("bye")
        assert stream.ended.wait(5)
        assert stream.complete


def test_a_client_that_comes_while_the_service_stops_may_come_again(recorded_sqlite: str) -> None:
    async def talk() -> None:
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        hub = Hub(Database(recorded_sqlite), Live(), visible=1, visible_on_boards=1, per_client=1, total=1)
        hub.stop()
        stream = EventStream(hub, Filter(types=frozenset({"score"})), None)
        await stream({"type": "http", "method": "GET", "headers": [], "client": None}, receive, send)
        assert sent[0]["status"] == 200
        assert sent[1:] == [{"type": "http.response.body", "body": b"retry: 3000\n\nevent: bye\ndata: {}\n\n"}]
        with pytest.raises(APIError, match="restarted"):
            hub.listen(Filter(types=frozenset({"score"})))

    asyncio.run(talk())


def test_a_client_that_takes_nothing_does_not_delay_the_stop(here: Playground) -> None:
    with socket.create_connection((here.client.base_url.host, here.client.base_url.port or 0)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        # 5 000 events are more than the buffers of both sides hold.
        connection.sendall(b"GET /v1/events?last_id=2000&include_failed=1 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
        time.sleep(1.5)
        begin = time.monotonic()
        assert here.process.stop() == 0
        assert time.monotonic() - begin < 8


def test_nothing_is_looked_for_while_nobody_listens(here: Playground) -> None:
    def looks() -> float:
        page = here.client.get("/metrics").text
        lines = [line for line in page.splitlines() if 'statement="score_ids"' in line and "_count" in line]
        return float(lines[0].split()[-1]) if lines else 0

    with listening(here.client) as stream:
        begun(stream)
        eventually(lambda: looks() > 1)
    time.sleep(0.3)
    before = looks()
    time.sleep(QUIET)
    assert looks() == before


def test_metrics_and_log(here: Playground) -> None:
    with listening(here.client) as stream:
        begun(stream)
        here.sql(insert(7001))
        stream.next("score")
        page = here.client.get("/metrics").text
        assert "apidot_event_listeners 1.0" in page
        assert "apidot_http_requests_in_flight 1.0" in page
        assert "apidot_event_lag_seconds" in page
    eventually(lambda: "apidot_event_listeners 0.0" in here.client.get("/metrics").text)
    page = here.client.get("/metrics").text
    assert 'apidot_events_sent_total{type="score"} 1.0' in page
    assert 'apidot_http_requests_total{method="GET",route="/v1/events",status="200"} 1.0' in page
    assert 'apidot_http_request_seconds_count{route="/v1/events"}' not in page
    # The log is written a moment later.
    eventually(lambda: 'path="/v1/events" status=200' in here.process.output(500))


def test_the_database_is_away_for_a_while(tmp_path: Path) -> None:
    with servers.mariadb(private=True) as server:
        url = server.database("events")
        with playground(tmp_path, url, db_statement_timeout="0.5") as here, listening(here.client) as stream:
            begun(stream)
            here.sql(insert(7001))
            stream.next("score")
            server.stop()
            time.sleep(1.5)
            # One connects meanwhile, another one again.
            with listening(here.client) as new, listening(here.client, "7000") as again:
                begun(new)
                begun(again)
                here.client.advance(15)
                eventually(lambda: stream.comments > 0 and new.comments > 0 and again.comments > 0)
                assert [each.rest(0.1) for each in (stream, new, again)] == [[], [], []]
                server.start()
                here.sql(insert(7002), insert(7003))
                assert scores([stream.next("score"), stream.next("score")]) == [7002, 7003]
                assert scores([again.next("score") for _ in range(3)]) == [7001, 7002, 7003]
                assert scores([new.next("score"), new.next("score")]) == [7002, 7003]
                here.sql(insert(7004))
                for each in (stream, new, again):
                    assert each.next("score").score == 7004
