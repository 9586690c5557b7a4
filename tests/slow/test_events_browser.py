"""Live events and WebSockets in a real browser, on a page of another site: the example of docs/api.md."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import ROOT, Playground, playground
from tests.support.browser import Browser
from tests.support.http_stub import Answer, answering
from tests.support.new_scores import insert

EXAMPLE = re.findall(r"^```html\n(.*?)^```", (ROOT / "docs/api.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
# Connects again after a second, as a page does that uses a WebSocket.
WEBSOCKET = """
const url = arguments[0];
window.messages = [];
window.codes = [];
const open = () => {
    const socket = new WebSocket(url);
    socket.onopen = () => socket.send(JSON.stringify({type: "subscribe_scores", data: []}));
    socket.onmessage = ({data}) => messages.push(JSON.parse(data));
    socket.onclose = ({code}) => { codes.push(code); setTimeout(open, 1000); };
};
open();
"""


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Playground]:
    with playground(tmp_path, f"sqlite:///{tmp_path / 'world.sqlite'}") as running:
        yield running


@contextmanager
def page(browser: Browser, text: str) -> Iterator[str]:
    """Open a page of another origin. Yield its origin."""
    with answering(lambda _: Answer(200, text.encode(), [("Content-Type", "text/html; charset=utf-8")])) as port:
        origin = f"http://127.0.0.1:{port}"
        browser.driver.get(origin)
        yield origin
        browser.driver.get("about:blank")


def lines(browser: Browser, number: int) -> list[str]:
    """Wait for that many lines of the example's list, and return them."""
    browser.wait(lambda _: len(browser.all("#scores li")) >= number, f"{number} scores")
    return [line.text for line in browser.all("#scores li")]


def test_the_example_shows_every_score_once_although_the_service_restarts(
    browser: Browser, here: Playground
) -> None:
    (example,) = EXAMPLE
    url = str(here.client.base_url).rstrip("/")
    assert example.count("https://api.example.com/") == 1
    with page(browser, example.replace("https://api.example.com", url)):
        browser.wait(lambda _: browser.run("return events.readyState") == 1, "the stream")
        here.sql(insert(7001, pp=11.5))
        (first,) = lines(browser, 1)
        assert re.fullmatch(r".+: 11\.5 pp on .+", first)
        assert "undefined" not in first
        here.process.stop()
        here.sql(insert(7002, pp=12.5))
        here.process.start()
        assert [line.split(": ")[1][:4] for line in lines(browser, 2)] == ["12.5", "11.5"]
        here.sql(insert(7003, pp=13.5))
        assert [line.split(": ")[1][:4] for line in lines(browser, 3)] == ["13.5", "12.5", "11.5"]


def test_a_websocket(browser: Browser, here: Playground) -> None:
    with page(browser, "<title>elsewhere</title>"):
        browser.run(WEBSOCKET, f"ws://127.0.0.1:{here.client.base_url.port}/api/v1/ws")
        types = "return messages.map(({type}) => type)"
        subscribed = ["connected", "subscribed_to_scores"]
        browser.wait(lambda _: browser.run(types) == subscribed, "a subscription")
        here.sql(insert(7001))
        browser.wait(lambda _: browser.run(types) == [*subscribed, "new_score"], "a score")
        assert browser.run("return messages[2].data.id") == 7001
        here.process.stop()
        browser.wait(lambda _: browser.run("return codes")[:1] == [1012], "the end of the service")
        here.process.start()
        browser.wait(lambda _: browser.run(types)[3:] == subscribed, "a new subscription")
        here.sql(insert(7002))
        browser.wait(lambda _: browser.run("return messages.at(-1).data?.id") == 7002, "a score")


def test_pages_that_may_not_read_the_api(browser: Browser, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'world.sqlite'}"
    with (
        playground(tmp_path, url, cors_origins="https://web.example.test") as here,
        page(browser, "<title>elsewhere</title>"),
    ):
        state = browser.run_async(
            "const done = arguments[1], events = new EventSource(arguments[0]);"
            "events.onerror = () => done(events.readyState); events.onopen = () => done('open');",
            f"{here.client.base_url}/v1/events",
        )
        assert state == 2
        code = browser.run_async(
            "const done = arguments[1], socket = new WebSocket(arguments[0]);"
            "socket.onclose = ({code}) => done(code); socket.onopen = () => done('open');",
            f"ws://127.0.0.1:{here.client.base_url.port}/v1/ws",
        )
        assert code == 1006
