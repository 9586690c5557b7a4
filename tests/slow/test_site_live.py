"""What the start page shows of a server: new scores as they happen, replays, and players who are online."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.conftest import Playground, playground
from tests.support.browser import Browser
from tests.support.game_server import DOMAIN, game_server
from tests.support.new_scores import insert

# Plays the part of a browser that shows another tab.
HIDE = """
Object.defineProperty(document, "hidden", {configurable: true, value: arguments[0]});
document.dispatchEvent(new Event("visibilitychange"));
"""
NAME = "<img src=x onerror=alert(1)>"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Playground]:
    """A service on a database without scores."""
    with playground(tmp_path, f"sqlite:///{tmp_path / 'world.sqlite'}") as running:
        running.sql("DELETE FROM scores")
        yield running


def open_page(browser: Browser, here: Playground) -> None:
    browser.open(str(here.client.base_url), 390, "dark")


def ids(browser: Browser) -> list[str | None]:
    """Return the ids in the list of scores, None for an entry that is not a score."""
    script = "return [...document.querySelectorAll('#scores li')].map(item => item.getAttribute('data-id'))"
    found: list[str | None] = browser.run(script)
    return found


def wait_for(browser: Browser, *expected: int) -> None:
    """Wait until the list of scores has these, in this order."""
    browser.wait(lambda _: ids(browser) == [str(id) for id in expected], f"the scores {expected}")


def requests_for(here: Playground, path: str) -> int:
    return here.process.output().count(f'method=GET path="{path}')


@contextmanager
def taken_stream(client: httpx2.Client) -> Iterator[None]:
    """Have a stream open."""
    with client.stream("GET", "/v1/events") as stream:
        lines = stream.iter_lines()
        next(lines)
        yield


def test_scores_appear_as_they_happen(browser: Browser, here: Playground) -> None:
    open_page(browser, here)
    browser.one("#live", "Live")
    browser.one("#scores", "No scores yet.")
    browser.one("#replays", "None of the latest scores has a stored replay.")
    here.sql(insert(7001, pp=11.5, acc=98.05, mods=72, grade="XH"))
    wait_for(browser, 7001)
    text = browser.one("#scores li").text
    assert "SS" in text
    assert "12 pp" in text
    assert "osu! · HDDT · 98.05%" in text
    here.sql(*(insert(id, userid=12) for id in range(7002, 7012)))
    wait_for(browser, *range(7011, 7003, -1))
    assert browser.overflow() == 0
    assert browser.console() == []


def test_names_and_titles_are_texts(browser: Browser, here: Playground) -> None:
    here.sql(
        f"UPDATE users SET name = '{NAME}', safe_name = 'x' WHERE id = 12",
        f"UPDATE maps SET title = '{NAME}'",
        insert(7001),
    )
    open_page(browser, here)
    browser.one("#live", "Live")
    here.sql(insert(7002))
    wait_for(browser, 7002, 7001)
    for item in browser.all("#scores li"):
        assert item.text.count(NAME) == 2
    assert not browser.all("main img")
    assert browser.console() == []


def test_a_restart_is_survived(browser: Browser, here: Playground) -> None:
    here.sql(insert(7001))
    open_page(browser, here)
    browser.one("#live", "Live")
    wait_for(browser, 7001)
    here.process.stop()
    browser.one("#live", "Not live")
    # The scores are still those that were shown.
    assert ids(browser) == ["7001"]
    here.sql(insert(7002))
    here.process.start()
    browser.one("#live", "Live")
    wait_for(browser, 7002, 7001)


def test_nothing_is_asked_for_while_the_page_is_hidden(browser: Browser, here: Playground) -> None:
    open_page(browser, here)
    browser.one("#live", "Live")
    browser.run(HIDE, True)
    # The stream is logged when it has ended.
    browser.wait(lambda _: requests_for(here, "/v1/events") == 1, "the end of the stream")
    here.sql(insert(7001))
    with here.client.stream("GET", "/v1/events?last_id=7000") as stream:
        assert any("7001" in line for line in stream.iter_lines())
    assert ids(browser) == [None]
    browser.run(HIDE, False)
    wait_for(browser, 7001)


def test_a_stream_that_is_refused_is_not_asked_for_again_at_once(browser: Browser, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'world.sqlite'}"
    with playground(tmp_path, url, event_streams_per_client="1") as here, taken_stream(here.client):
        open_page(browser, here)
        browser.one("#live", "Not live: updated every minute")
        browser.one("#scores .grade")
        # Longer than the three seconds after which a browser opens a broken stream again.
        browser.run_async("setTimeout(arguments[0], 5000)")
        assert requests_for(here, "/v1/events") == 1
        assert requests_for(here, "/v1/get_recent_scores") == 1


def test_replays_can_be_downloaded(browser: Browser, demo: httpx2.Client) -> None:
    browser.open(str(demo.base_url), 1280, "light")
    link = browser.one("#replays a")
    target = urlsplit(link.get_attribute("href") or "")
    answer = demo.get(f"{target.path}?{target.query}")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert len(browser.all("#replays a")) >= 3
    assert len(browser.all("#scores li")) == 8


def test_players_who_are_online(browser: Browser, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'world.sqlite'}"
    with game_server() as upstream, playground(tmp_path, url, game_server_url=upstream.url, domain=DOMAIN) as here:
        open_page(browser, here)
        names = [player["name"] for player in here.client.get("/v1/online").json()["players"]]
        assert len(names) >= 2
        browser.one("#online-count", str(len(names)))
        browser.wait(lambda _: [item.text for item in browser.all("#players li")] == names, "the players")
