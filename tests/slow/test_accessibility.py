"""Barriers for disabled people that axe-core finds on the start page and the API reference."""

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import httpx2
import pytest

from tests.support.browser import Browser, Scheme
from tests.support.environments import node_packages

HERE = Path(__file__).parent / "accessibility"
FIND = """
const done = arguments[0];
axe.run(document, {resultTypes: ["violations"]}).then(({violations}) => done(
    violations.flatMap(({id, nodes}) => nodes.map(({target}) => {
        const element = document.querySelector(target.at(-1));
        return [id, [element.localName, ...element.classList].join(".")];
    }))
), error => done([["axe-core", String(error)]]));
"""
# What Swagger UI does, by rule and element. None of these is serious or critical for axe-core.
OF_A_LIST = {("heading-order", "h3.opblock-tag")}  # h3 after h1
OF_AN_OPERATION = {("landmark-unique", "table.responses-table")}  # one in each open operation
OF_THE_DIALOG = {("heading-order", "h3")}
Find = Callable[[], set[tuple[str, str]]]


@pytest.fixture(scope="module")
def find(pytestconfig: pytest.Config, browser: Browser) -> Find:
    """Returns the rule and the element of each finding on the page that is open."""
    assert pytestconfig.cache is not None
    folder = node_packages(pytestconfig.cache, "accessibility", sorted(HERE.glob("*.json")))
    axe = (folder / "node_modules/axe-core/axe.min.js").read_text("utf-8")

    def found() -> set[tuple[str, str]]:
        browser.run(f"{axe}; window.axe = axe;")
        return {(rule, element) for rule, element in browser.run_async(FIND)}

    return found


def open_operation(browser: Browser, path: str) -> None:
    browser.click(browser.one(".opblock-summary-control", path))
    browser.wait(lambda _: browser.all(".opblock.is-open .responses-table"), f"the operation {path}")


@pytest.mark.parametrize("scheme", get_args(Scheme))
def test_the_start_page(browser: Browser, demo: httpx2.Client, find: Find, scheme: Scheme) -> None:
    browser.open(str(demo.base_url), 1280, scheme)
    browser.one("#scores .grade")
    browser.one("#replays a")
    browser.click(browser.one(".example button"))
    browser.one(".example .outcome", "200 OK")
    assert find() == set()


@pytest.mark.parametrize("scheme", get_args(Scheme))
def test_the_api_reference(browser: Browser, demo: httpx2.Client, find: Find, scheme: Scheme) -> None:
    browser.open(f"{demo.base_url}/docs", 1280, scheme)
    browser.one(".opblock-summary-control")
    assert find() == OF_A_LIST
    open_operation(browser, "/v1/get_leaderboard")
    browser.click(browser.one(".opblock.is-open .execute"))
    browser.one(".live-responses-table .response-col_status", "200")
    open_operation(browser, "/v1/set_player_info")
    assert find() == OF_A_LIST | OF_AN_OPERATION
    browser.click(browser.one(".btn.authorize"))
    browser.one("[role=dialog] input")
    # The heading of the dialog comes first, and those after it follow it.
    assert find() == OF_AN_OPERATION | OF_THE_DIALOG


def test_a_barrier_is_found(browser: Browser, demo: httpx2.Client, find: Find) -> None:
    browser.open(str(demo.base_url), 1280, "light")
    browser.one("#replays a")
    browser.run("""
        document.querySelector("h1").style.color = "#ddd";
        document.querySelector(".example button").removeAttribute("aria-label");
        document.querySelector(".example button").textContent = "";
    """)
    assert {rule for rule, _ in find()} == {"color-contrast", "button-name"}
