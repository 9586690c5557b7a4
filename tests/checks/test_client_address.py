"""`check --url`: whether a client can choose its address, at services whose proxies believe too much."""

import asyncio
from collections.abc import Iterator

import pytest

from checks import browser
from config.settings import Settings
from tests.conftest import service
from tests.support.checks import Findings
from tests.support.http_stub import Answer, Asked, answering

# As if this machine were not a proxy, for which the service takes it.
OUTSIDE = {"trusted_proxies": "192.0.2.1"}
# As if this machine were not exempt.
LIMITED = {"rate_limit_exempt": ""}


def check(url: str, **settings: str | float) -> Findings:
    """Return the findings of a check with these settings."""
    return Findings(asyncio.run(browser.run(url, Settings(**settings))))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def limited(recorded_sqlite: str) -> Iterator[str]:
    """The URL of a service that believes the X-Forwarded-For of this machine, and limits it."""
    with service(database_url=recorded_sqlite, **LIMITED) as client:
        yield str(client.base_url)


def test_a_header_that_is_believed_is_a_warning(limited: str) -> None:
    findings = check(limited, **OUTSIDE)

    assert findings.levels["browser.forged-address"] == "warning"
    assert "can choose its address with X-Forwarded-For, and so" in findings.text("browser.forged-address")


def test_nothing_is_found_out_by_a_proxy(limited: str) -> None:
    findings = check(limited)

    assert findings.levels["browser.forged-address"] == "ok"
    assert "(127.0.0.1) is in TRUSTED_PROXIES" in findings.text("browser.forged-address")


def test_a_client_is_not_taken_for_a_proxy_because_everybody_is(limited: str) -> None:
    assert check(limited, trusted_proxies="0.0.0.0/0").levels["browser.forged-address"] == "warning"


def test_the_header_in_the_setting_is_tried_too(recorded_sqlite: str) -> None:
    header = {"client_address_header": "Fly-Client-IP"}
    with service(database_url=recorded_sqlite, **header) as client:
        findings = check(str(client.base_url), **OUTSIDE, **header)

    assert "with Fly-Client-IP, and so" in findings.text("browser.forged-address")
    # The service takes 127.0.0.1 for itself, unless a header claims it.
    assert findings.text("browser.metrics").startswith("/metrics can be read from here -> ")


def test_no_header_of_an_untrusted_client_is_believed(recorded_sqlite: str) -> None:
    with service(database_url=recorded_sqlite, metrics_for="", **OUTSIDE) as client:
        exempt = check(str(client.base_url), **OUTSIDE)
        other = check(str(client.base_url), **OUTSIDE, **LIMITED)
    with service(database_url=recorded_sqlite, **OUTSIDE, **LIMITED) as client:
        limited = check(str(client.base_url), **OUTSIDE, **LIMITED)

    for findings in (exempt, other, limited):
        assert findings.levels["browser.forged-address"] == "ok"
        assert "cannot choose its address with X-Forwarded-For, X-Real-IP" in findings.text(
            "browser.forged-address"
        )
    assert exempt.levels["browser.metrics"] == "ok"
    # A proxy that is exempt, and not named in TRUSTED_PROXIES, looks like this.
    assert other.levels["browser.client-address"] == "warning"
    assert "browser.client-address" not in exempt.levels.keys() | limited.levels.keys()


@pytest.mark.parametrize("rate", ["0", "100000"])
def test_a_limit_that_shows_nothing(recorded_sqlite: str, rate: str) -> None:
    with service(database_url=recorded_sqlite, rate_limit=rate, **LIMITED) as client:
        findings = check(str(client.base_url), rate_limit=float(rate), **OUTSIDE)

    assert findings.levels["browser.forged-address"] == "ok"


def test_a_server_that_drops_forged_requests() -> None:
    def answer(asked: Asked) -> Answer:
        if "cf-connecting-ip" in asked.headers:
            raise ConnectionError
        return Answer(200, b"{}")

    with answering(answer) as port:
        findings = check(f"http://127.0.0.1:{port}")

    assert findings.levels["browser.forged-address"] == "warning"
    assert "was not found out: " in findings.text("browser.forged-address")
    assert "browser.server" in findings.levels


def test_a_service_whose_limit_is_spent(recorded_sqlite: str) -> None:
    spent = {"rate_limit": "0.01", "rate_limit_burst": "12", **LIMITED}
    with service(database_url=recorded_sqlite, **spent, **OUTSIDE) as client:
        assert check(str(client.base_url), **OUTSIDE).levels["browser.forged-address"] == "ok"
