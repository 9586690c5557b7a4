"""`check --url`: what a browser sees, at servers with and without mistakes."""

import asyncio
from collections.abc import Sequence

import pytest

from checks import browser
from config.settings import Settings
from tests.support.checks import Findings
from tests.support.http_stub import Answer, Asked, answering
from tests.support.processes import free_port

ALLOW = ("Access-Control-Allow-Origin", "*")
OURS = ("X-Request-ID", "1")
ZIPPED = ("Content-Encoding", "gzip")
ANSWERED = Answer(204, b"", [ALLOW])


def check(url: str, origin: str = "*") -> Findings:
    return Findings(asyncio.run(browser.run(url, Settings(cors_origins=origin))))


def at_server(
    answer: Sequence[tuple[str, str]] = (ALLOW, OURS, ZIPPED),
    error: Sequence[tuple[str, str]] = (ALLOW, OURS),
    preflight: Answer = ANSWERED,
    origin: str = "*",
) -> Findings:
    """Return the findings at a server that sends these headers."""

    def answered(asked: Asked) -> Answer:
        if asked.method == "OPTIONS":
            return preflight
        return Answer(404, b"{}", error) if "id=" in asked.path else Answer(200, b"{}" + b" " * 2000, answer)

    with answering(answered) as port:
        return check(f"http://127.0.0.1:{port}", origin)


def test_a_server_without_mistakes() -> None:
    assert at_server().levels == {
        "browser.no-tls": "warning",
        "browser.server": "ok",
        "browser.cors": "ok",
        "browser.compression": "ok",
        "browser.metrics": "ok",
        "browser.forged-address": "ok",
    }


@pytest.mark.parametrize("doubled", [[ALLOW, ALLOW, OURS, ZIPPED], [(ALLOW[0], "*, *"), OURS, ZIPPED]])
def test_doubled_cors_headers_are_an_error(doubled: list[tuple[str, str]]) -> None:
    findings = at_server(answer=doubled)

    assert findings.levels["browser.cors-doubled"] == "error"
    assert "more than once with an answer:" in findings.text("browser.cors-doubled")


def test_doubled_cors_headers_on_a_preflight_are_an_error() -> None:
    findings = at_server(preflight=Answer(204, b"", [ALLOW, ALLOW]))

    assert "more than once with a preflight:" in findings.text("browser.cors-doubled")


def test_missing_cors_headers_on_errors_are_a_warning() -> None:
    findings = at_server(error=[OURS])

    assert findings.levels["browser.cors-missing"] == "warning"
    assert "with an error (404):" in findings.text("browser.cors-missing")


def test_a_refused_preflight_is_a_warning() -> None:
    findings = at_server(preflight=Answer(405, b"", [ALLOW]))

    assert findings.levels["browser.preflight"] == "warning"


def test_another_allowed_origin_is_a_warning() -> None:
    other = ("Access-Control-Allow-Origin", "https://other.example")
    findings = at_server(answer=[other, OURS, ZIPPED], origin="https://osu.example")

    assert "not what https://osu.example needs" in findings.text("browser.cors-other")


def test_an_uncompressed_response_is_a_warning() -> None:
    assert at_server(answer=[ALLOW, OURS]).levels["browser.compression"] == "warning"


def test_a_game_server_that_still_answers_is_a_warning() -> None:
    findings = at_server(answer=[ALLOW, ("process-time", "1.5"), ZIPPED])

    assert "still the game server" in findings.text("browser.server")


@pytest.mark.parametrize(("status", "headers"), [(502, []), (301, [("Location", "https://elsewhere.example/")])])
def test_another_status_is_an_error(status: int, headers: list[tuple[str, str]]) -> None:
    with answering(lambda _: Answer(status, b"", headers)) as port:
        findings = check(f"http://127.0.0.1:{port}")

    assert findings.levels["browser.status"] == "error"
    assert str(status) in findings.text("browser.status")


def test_an_address_without_a_server_is_an_error() -> None:
    for scheme in ("http", "https"):
        assert check(f"{scheme}://127.0.0.1:{free_port()}").levels["browser.away"] == "error"
