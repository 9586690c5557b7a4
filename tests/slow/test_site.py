"""The start page and the API reference in a real browser, at two widths and in both colour schemes."""

import re
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import httpx2
import pytest
from selenium.webdriver.common.keys import Keys

from api.site.pages import ASSETS, PACKAGE
from tests.conftest import ROOT, service
from tests.support import conformance, servers
from tests.support.browser import Browser, Scheme
from tests.support.game_server import DOMAIN, game_server
from tests.support.openapi_examples import KEY
from tests.support.processes import free_port, serve

PHONE, DESKTOP = 390, 1280
HTML = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
# Opens an operation of the reference, waits for its contents, closes it, and passes on the width of the page.
OPEN = """
const [block, done] = arguments, control = block.querySelector(".opblock-summary-control");
const until = async condition => { while (!condition()) await new Promise(requestAnimationFrame); };
(async () => {
    control.click();
    await until(() => block.querySelector(".opblock-body .responses-table"));
    const width = document.documentElement.scrollWidth;
    control.click();
    await until(() => !block.querySelector(".opblock-body"));
    done(width);
})();
"""
EVERYWHERE = pytest.mark.parametrize(
    ("width", "scheme"), [(width, scheme) for width in (PHONE, DESKTOP) for scheme in get_args(Scheme)]
)


@pytest.fixture(scope="module")
def client(recorded_sqlite: str) -> Iterator[httpx2.Client]:
    with service(database_url=recorded_sqlite, data_directory=str(conformance.WORLD)) as running:
        yield running


def address(client: httpx2.Client) -> str:
    return str(client.base_url).rstrip("/")


def assert_clean(browser: Browser, client: httpx2.Client) -> None:
    """Assert an empty console, no requests to other sites, and nothing wider than the window."""
    assert browser.console() == []
    assert browser.origins() == {address(client)}
    assert browser.overflow() == 0


def brightness(browser: Browser) -> int:
    """Return the brightness of the page's background, 0 to 765."""
    colour = browser.run("return getComputedStyle(document.body).backgroundColor")
    return sum(map(int, re.findall(r"\d+", colour)[:3]))


@EVERYWHERE
def test_the_start_page(
    browser: Browser, client: httpx2.Client, tmp_path: Path, width: int, scheme: Scheme
) -> None:
    browser.open(address(client), width, scheme)
    assert browser.one("#health", "Everything works").get_attribute("data-state") == "ready"
    total = client.get("/v1/get_player_count").json()["counts"]["total"]
    browser.one("#total-count", str(total))
    browser.one("#players", "Nobody is online right now.")
    examples = browser.all(".example")
    assert len(examples) == 3
    for number, button in enumerate(browser.all(".example button"), 1):
        browser.click(button)
        browser.one(f".example:nth-of-type({number}) .outcome", "200 OK")
        assert '"status": "success"' in browser.one(f".example:nth-of-type({number}) pre").text
    assert (brightness(browser) < 382) == (scheme == "dark")
    browser.screenshot(tmp_path / "start.png", 2600 if width == PHONE else 1500)
    assert_clean(browser, client)


@EVERYWHERE
def test_the_api_reference(
    browser: Browser, client: httpx2.Client, tmp_path: Path, width: int, scheme: Scheme
) -> None:
    browser.open(f"{address(client)}/docs", width, scheme)
    browser.click(browser.one(".opblock-summary-control", "/v1/get_player_count"))
    browser.click(browser.one(".opblock.is-open .execute"))
    browser.one(".live-responses-table .response-col_status", "200")
    total = client.get("/v1/get_player_count").json()["counts"]["total"]
    browser.one(".live-responses-table .response-col_description", f'"total": {total}')
    assert (brightness(browser) < 382) == (scheme == "dark")
    browser.screenshot(tmp_path / "docs.png", 2000)
    assert_clean(browser, client)


def test_every_operation_fits_on_a_phone(browser: Browser, client: httpx2.Client) -> None:
    browser.open(f"{address(client)}/docs", PHONE, "light")
    browser.one(".opblock-summary-control")
    blocks = browser.all(".opblock")
    paths = client.get("/openapi.json").json()["paths"]
    assert len(blocks) == sum(map(len, paths.values()))
    for block in blocks:
        assert browser.run_async(OPEN, block) == PHONE, block.text
    assert_clean(browser, client)


def paths_found(browser: Browser, words: str) -> set[str]:
    """Search the reference for these words, and return the paths that it lists then."""
    field = browser.one(".operation-filter-input")
    field.clear()
    field.send_keys(words)
    return {path.get_attribute("data-path") or "" for path in browser.all(".opblock-summary-path")}


def test_the_reference_finds_endpoints_by_any_word(browser: Browser, client: httpx2.Client) -> None:
    browser.open(f"{address(client)}/docs", PHONE, "dark")
    browser.one(".opblock-summary-control")
    # Words of a path, a summary, a description and a tag, in either case.
    assert paths_found(browser, "most_played") == {
        "/v1/get_player_most_played",
        "/v2/players/{player_id}/most_played",
    }
    assert "/v1/events" in paths_found(browser, "server-sent")
    assert paths_found(browser, "browsers HELLO") == {"/v1/events"}
    assert paths_found(browser, ".osr REPLAYS") == {"/v1/get_replay", "/v2/scores/{score_id}/replay"}
    assert paths_found(browser, ".osr REPLAYSX") == set()
    browser.one("[role=status]", "No endpoint has all of these words.")
    assert_clean(browser, client)


def test_the_reference_shows_the_limits_of_parameters(browser: Browser, client: httpx2.Client) -> None:
    browser.open(f"{address(client)}/docs", DESKTOP, "light")
    browser.click(browser.one(".opblock-summary-control", "/v1/get_leaderboard"))
    browser.one("[data-param-name=limit]", "minimum: 1\nmaximum: 100")
    assert browser.one("[data-param-name=limit] input").get_attribute("value") == "2"
    browser.one("[data-param-name=country]", "maxLength: 2")
    assert "maximum" not in browser.one("[data-param-name=offset]", "minimum: 0").text
    sorts = [option.text for option in browser.all("[data-param-name=sort] option")]
    assert {"pp", "acc", "rscore"} <= set(sorts)
    assert browser.run("return document.querySelector('[data-param-name=sort] select').value") == "pp"


def test_the_dialog_for_the_key_works_with_the_keyboard(browser: Browser, demo: httpx2.Client) -> None:
    browser.open(f"{address(demo)}/docs", DESKTOP, "dark")
    key = browser.one("aside code").text
    browser.one(".btn.authorize").send_keys(Keys.ENTER)
    browser.one("[role=dialog]")
    seen = set()
    for _ in range(12):
        focused = browser.driver.switch_to.active_element
        assert browser.run("return arguments[0].closest('[role=dialog]') !== null", focused)
        seen.add(focused.id)
        focused.send_keys(Keys.SHIFT, Keys.TAB)
    assert len(seen) == 7
    browser.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    browser.wait(lambda _: not browser.all("[role=dialog]"), "the end of the dialog")
    opener = browser.driver.switch_to.active_element
    assert "authorize" in (opener.get_attribute("class") or "")
    opener.send_keys(Keys.ENTER)
    browser.one("[role=dialog] input").send_keys(key, Keys.ENTER)
    browser.one("[role=dialog] button", "Logout")
    browser.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    browser.click(browser.one(".opblock-summary-control", "/v1/get_friends"))
    browser.click(browser.one(".opblock.is-open .execute"))
    browser.one(".live-responses-table .response-col_status", "200")
    assert_clean(browser, demo)


def test_only_the_demo_world_has_a_key_for_everybody(client: httpx2.Client, demo: httpx2.Client) -> None:
    assert KEY in demo.get("/docs").text
    for page in ("/", "/docs", "/openapi.json"):
        text = client.get(page, headers=HTML).text
        assert "0000-4000" not in text
        assert "demo world" not in text


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_the_keyboard_focus_is_visible(browser: Browser, client: httpx2.Client, path: str) -> None:
    browser.open(address(client) + path, DESKTOP, "light")
    browser.one(".example button" if path == "/" else ".opblock-summary-control")
    for _ in range(12):
        browser.driver.switch_to.active_element.send_keys(Keys.TAB)
        style = browser.run(
            "const s = getComputedStyle(document.activeElement);"
            "return [document.activeElement.tagName, s.outlineStyle, parseFloat(s.outlineWidth)]"
        )
        assert style[0] != "BODY"
        assert style[1] != "none", style
        assert style[2] >= 1, style


def test_an_example_can_be_run_with_the_keyboard(browser: Browser, client: httpx2.Client) -> None:
    browser.open(address(client), DESKTOP, "dark")
    browser.one(".example button").send_keys(Keys.ENTER)
    browser.one(".example .outcome", "200 OK")


def test_an_unavailable_database_is_shown(browser: Browser) -> None:
    with servers.mariadb(private=True) as database:
        conformance.load(database.database("recorded"))
        with service(database_url=f"{database.url}recorded", db_pool_wait="0.5") as client:
            browser.open(address(client), PHONE, "dark")
            browser.one("#dependencies dd", "up")
            database.stop()
            browser.driver.refresh()
            assert (
                browser.one("#health", "The database is unavailable").get_attribute("data-state") == "unavailable"
            )
            browser.one("#dependencies dd", "unavailable: what is kept there is answered with 503")
            browser.one("#players", "Nobody is online right now.")
            browser.click(browser.one(".example button"))
            browser.one(".example .outcome.failed", "503")
            assert browser.overflow() == 0


@pytest.mark.parametrize(
    "accept", [None, "*/*", "application/json", "text/html;q=0", "text/html; q=0.000, */*", "text/htmlx", "text/*"]
)
def test_other_clients_get_a_404_at_the_root(client: httpx2.Client, accept: str | None) -> None:
    headers = {} if accept is None else {"Accept": accept}
    answer = client.get("/", headers=headers)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


@pytest.mark.parametrize("accept", ["text/html", "TEXT/HTML;q=0.1", "application/json, text/html;level=1;q=1.0"])
def test_clients_that_accept_html_get_the_start_page(client: httpx2.Client, accept: str) -> None:
    answer = client.get("/", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert set(answer.headers.get_list("Vary")) == {"Accept", "Accept-Encoding"}
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert client.post("/", headers={"Accept": accept}).status_code == 404


def test_other_clients_get_the_root_of_the_game_server(recorded_sqlite: str) -> None:
    with (
        game_server() as upstream,
        service(database_url=recorded_sqlite, game_server_url=upstream.url, domain=DOMAIN) as client,
    ):
        assert "The API of" in client.get("/", headers=HTML).text
        assert "swagger-ui" in client.get("/docs").text
        assert "/" not in upstream.asked
        assert client.get("/").json() == {"detail": "Not Found"}
        assert client.post("/", headers=HTML).status_code == 404
        assert upstream.asked["/"] == 2


def test_assets_are_immutable_and_their_url_changes_with_their_content(client: httpx2.Client) -> None:
    for page in ("/", "/docs"):
        html = client.get(page, headers=HTML).text
        urls = re.findall(r'(?:src|href)="([^"]*)"', html)
        assets = [url for url in urls if url.startswith(ASSETS)]
        assert assets
        # Paths and fragments only, no other sites.
        assert all(re.match(r"[/#](?!/)", url) for url in urls)
        for path in assets:
            answer = client.get(path)
            assert answer.status_code == 200
            assert ("Content-Encoding" in answer.headers) == (len(answer.content) >= 1024)
            assert "immutable" in answer.headers["Cache-Control"]
            plain = client.get(path, headers={"Accept-Encoding": "identity"})
            assert plain.content == answer.content
            head = client.head(path, headers={"Accept-Encoding": "identity"})
            assert int(head.headers["Content-Length"]) == len(plain.content)
            again = client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
            assert (again.status_code, again.content) == (304, b"")
    assert client.get("/docs/assets/start.js").status_code == 404
    assert client.post("/docs").status_code == 405


def test_without_swagger_ui_the_reference_says_how_to_install_it(recorded_sqlite: str, tmp_path: Path) -> None:
    # All packages except that one.
    for package in Path(sysconfig.get_path("purelib")).iterdir():
        if not package.name.startswith(PACKAGE):
            (tmp_path / package.name).symlink_to(package)
    port = free_port()
    command = [sys.executable, "-S", str(ROOT / "main.py"), "serve", "--port", str(port)]
    with (
        serve(command, port, {"PYTHONPATH": str(tmp_path), "DATABASE_URL": recorded_sqlite}, folder=tmp_path),
        httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        answer = client.get("/docs")
        assert answer.status_code == 501
        assert "pip install mkdocs-swagger-ui-tag" in answer.text
        assert client.get("/", headers=HTML).status_code == 200
