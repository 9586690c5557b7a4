"""`check --url` at the shipped nginx configuration: nothing but the certificate is wrong."""

import asyncio

import pytest

from checks import browser
from tests.conftest import service
from tests.support.checks import Findings
from tests.support.nginx import nginx


def test_the_shipped_nginx_block_has_no_mistakes(recorded_sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with service(database_url=recorded_sqlite) as client:
        assert client.base_url.port
        with nginx(client.base_url.port) as front:
            unknown = Findings(asyncio.run(browser.run(front.https, ["*"])))
            monkeypatch.setenv("SSL_CERT_FILE", str(front.certificate))
            known = Findings(asyncio.run(browser.run(front.https, ["*"])))

    assert unknown.levels["browser.certificate"] == "error"
    assert "self-signed" in unknown.text("browser.certificate").replace(" ", "-")
    assert set(known.levels.values()) == {"ok"}
    assert "good for 29 more days" in known.text("browser.certificate")
    assert "HTTP/2" in known.text("browser.http-version")
