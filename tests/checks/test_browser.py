"""`main.py check --url`: what a browser would see, at servers that do it rightly and wrongly."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.conftest import service
from tests.support.checks import Examined, examined
from tests.support.http_stub import Answer, Asked, answering
from tests.support.nginx import nginx
from tests.support.processes import free_port

ALLOW = ("Access-Control-Allow-Origin", "*")
OURS = ("X-Request-ID", "1")
ZIPPED = ("Content-Encoding", "gzip")
ANSWERED = Answer(204, b"", [ALLOW])


def looked_at(url: str, **settings: str) -> Examined:
    """What there is to find at an address, whatever is around it."""
    found = examined(Path("/nowhere"), url, database_url="sqlite:////nowhere/at.all", **settings)
    return Examined([finding for finding in found.findings if finding.subject == "browser"])


def at_server(
    answer: Sequence[tuple[str, str]] = (ALLOW, OURS, ZIPPED),
    error: Sequence[tuple[str, str]] = (ALLOW, OURS),
    preflight: Answer = ANSWERED,
    **settings: str,
) -> Examined:
    """What there is to find at a server with these headers."""

    def answered(asked: Asked) -> Answer:
        if asked.method == "OPTIONS":
            return preflight
        return Answer(404, b"{}", error) if "id=" in asked.path else Answer(200, b"{}" + b" " * 2000, answer)

    with answering(answered) as port:
        return looked_at(f"http://127.0.0.1:{port}", **settings)


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert at_server().levels == {
        "browser.no-tls": "warning",
        "browser.server": "ok",
        "browser.cors": "ok",
        "browser.compression": "ok",
    }


@pytest.mark.parametrize("doubled", [[ALLOW, ALLOW, OURS, ZIPPED], [(ALLOW[0], "*, *"), OURS, ZIPPED]])
def test_doubled_cors_headers_are_an_error(doubled: list[tuple[str, str]]) -> None:
    found = at_server(answer=doubled)

    assert found.levels["browser.cors-doubled"] == "error"
    assert "more than once with an answer:" in found.text("browser.cors-doubled")


def test_doubled_cors_headers_on_a_preflight_are_an_error() -> None:
    found = at_server(preflight=Answer(204, b"", [ALLOW, ALLOW]))

    assert "more than once with a preflight:" in found.text("browser.cors-doubled")


def test_missing_cors_headers_on_errors_are_told() -> None:
    found = at_server(error=[OURS])

    assert found.levels["browser.cors-missing"] == "warning"
    assert "with an error (404):" in found.text("browser.cors-missing")


def test_a_preflight_that_is_refused_is_told() -> None:
    found = at_server(preflight=Answer(405, b"", [ALLOW]))

    assert found.levels["browser.preflight"] == "warning"


def test_an_origin_that_is_not_let_in_is_told() -> None:
    other = ("Access-Control-Allow-Origin", "https://other.example")
    found = at_server(answer=[other, OURS, ZIPPED], cors_origins="https://osu.example")

    assert "not what https://osu.example needs" in found.text("browser.cors-other")


def test_an_uncompressed_answer_is_told() -> None:
    assert at_server(answer=[ALLOW, OURS]).levels["browser.compression"] == "warning"


def test_a_game_server_that_still_answers_is_recognised() -> None:
    found = at_server(answer=[ALLOW, ("process-time", "1.5"), ZIPPED])

    assert "still the game server" in found.text("browser.server")


@pytest.mark.parametrize(("status", "headers"), [(502, []), (301, [("Location", "https://elsewhere.example/")])])
def test_another_status_is_an_error(status: int, headers: list[tuple[str, str]]) -> None:
    with answering(lambda _: Answer(status, b"", headers)) as port:
        found = looked_at(f"http://127.0.0.1:{port}")

    assert found.levels["browser.status"] == "error"
    assert str(status) in found.text("browser.status")


def test_an_address_without_a_server_is_an_error() -> None:
    for scheme in ("http", "https"):
        assert looked_at(f"{scheme}://127.0.0.1:{free_port()}").levels["browser.away"] == "error"


def test_the_shipped_nginx_block_is_as_it_should_be(recorded_sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with service(database_url=recorded_sqlite) as client:
        assert client.base_url.port
        with nginx(client.base_url.port) as front:
            unknown = looked_at(front.https)
            monkeypatch.setenv("SSL_CERT_FILE", str(front.certificate))
            known = looked_at(front.https)

    assert unknown.levels["browser.certificate"] == "error"
    assert "self-signed" in unknown.text("browser.certificate").replace(" ", "-")
    assert set(known.levels.values()) == {"ok"}
    assert "good for 29 more days" in known.text("browser.certificate")
    assert "HTTP/2" in known.text("browser.http-version")
