"""`check --url` at the shipped nginx configuration: nothing but the certificate is wrong."""

import asyncio

import pytest

from checks import browser
from config.settings import Settings
from tests.conftest import service
from tests.support.checks import Findings
from tests.support.nginx import http2, nginx


def test_the_shipped_nginx_block_has_no_mistakes(recorded_sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with service(database_url=recorded_sqlite) as client:
        assert client.base_url.port
        with nginx(client.base_url.port) as front:
            unknown = Findings(asyncio.run(browser.run(front.https, Settings())))
            monkeypatch.setenv("SSL_CERT_FILE", str(front.certificate))
            known = Findings(asyncio.run(browser.run(front.https, Settings())))

    assert unknown.levels["browser.certificate"] == "error"
    assert "self-signed" in unknown.text("browser.certificate").replace(" ", "-")
    assert set(known.levels.values()) == {"ok"}
    assert "browser.websocket" in known.levels
    assert "good for 29 more days" in known.text("browser.certificate")
    assert known.text("browser.http-version").startswith("HTTP/1.1 over TLS")


def test_http_2_is_enabled_as_the_comment_says(recorded_sqlite: str) -> None:
    with (
        service(database_url=recorded_sqlite) as client,
        nginx(client.base_url.port or 0, changes=http2()) as front,
    ):
        findings = Findings(asyncio.run(browser.run(front.https, Settings())))

    assert findings.text("browser.http-version").startswith("HTTP/2 over TLS")


def test_a_block_of_earlier_versions_passes_no_websockets_on(recorded_sqlite: str) -> None:
    with (
        service(database_url=recorded_sqlite) as client,
        nginx(client.base_url.port or 0, changes={"$connection_to_apidot;": '"";'}) as front,
    ):
        findings = Findings(asyncio.run(browser.run(front.http, Settings())))

    assert findings.levels["browser.websocket"] == "warning"
    assert findings.text("browser.websocket").startswith("WebSockets do not get through")


# nginx connects from another address than the check, which then is no trusted proxy.
PROXY = "127.0.0.5"
FOR, CF = "X-Forwarded-For", "CF-Connecting-IP"
BOUND = {"proxy_http_version 1.1;": f"proxy_http_version 1.1; proxy_bind {PROXY};"}
PASSED_ON = {f"{FOR}   $remote_addr": f"{FOR} $http_x_forwarded_for", f'{CF}  ""': f"{CF} $http_cf_connecting_ip"}
APPENDED = {f"{FOR}   $remote_addr": f"{FOR} $proxy_add_x_forwarded_for"}


@pytest.mark.parametrize(
    ("header", "changes", "workers", "level"),
    [
        (FOR, {}, "1", "ok"),
        (FOR, APPENDED, "1", "ok"),
        # Without Redis, each worker has a rate limit of its own.
        (FOR, APPENDED, "4", "ok"),
        (FOR, PASSED_ON, "1", "warning"),
        (FOR, PASSED_ON, "4", "warning"),
        (CF, {}, "1", "ok"),
        (CF, {f'{CF}  ""': f"{CF} $remote_addr"}, "1", "ok"),
        (CF, PASSED_ON, "1", "warning"),
    ],
)
def test_a_header_that_nginx_passes_on_is_a_warning(
    recorded_sqlite: str, header: str, changes: dict[str, str], workers: str, level: str
) -> None:
    settings = Settings(trusted_proxies=PROXY, client_address_header=header)
    names = {"trusted_proxies": PROXY, "client_address_header": header, "api_workers": workers}
    with (
        service(database_url=recorded_sqlite, **names) as client,
        nginx(client.base_url.port or 0, changes={**BOUND, **changes}) as front,
    ):
        findings = Findings(asyncio.run(browser.run(front.http, settings)))

    assert findings.levels["browser.forged-address"] == level
    assert (f"with {header}, and so" in findings.text("browser.forged-address")) is (level == "warning")
