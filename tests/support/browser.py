"""A real Chromium without a window, at any width and in both colour schemes."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal
from urllib.parse import urlsplit

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.support import install

Scheme = Literal["light", "dark"]
# As root it cannot have its sandbox; the rest keeps it from asking anybody for anything of its own.
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Of a browser itself, not of a network.
INNER = ("data", "blob", "chrome", "about")
HEIGHT = 900
SECONDS = 60  # that a condition or a script is waited for


class Browser:
    """A browser, and what it asked for and complained about since it was last looked at."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def open(self, url: str, width: int, scheme: Scheme) -> None:
        """Opens a page in a window of that width, in CSS pixels."""
        size = {"width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": width < 500}
        self._command("Emulation.setDeviceMetricsOverride", size)
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self._command("Emulation.setEmulatedMedia", media)
        self.driver.get("about:blank")
        self.complaints()
        self.asked()
        self.driver.get(url)

    def all(self, selector: str) -> list[WebElement]:
        """Every element that the CSS selector finds."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str, holds: str = "") -> WebElement:
        """The first element that is seen and holds that text, waited for. Raises TimeoutException."""

        def found(_: object) -> WebElement | Literal[False]:
            seen = (each for each in self.all(selector) if each.is_displayed())
            return next((each for each in seen if holds in each.text.replace("\u200b", "")), False)

        element: WebElement = self.wait(found, f"{selector} with {holds!r}")
        return element

    def wait(self, condition: Callable[[object], Any], what: str) -> Any:
        """What `condition` returns once that is true. Raises TimeoutException."""
        return WebDriverWait(self.driver, SECONDS, ignored_exceptions=()).until(condition, what)

    def click(self, element: WebElement) -> None:
        """Clicks it, wherever it is on the page."""
        self.run("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def run(self, script: str, *arguments: object) -> Any:
        """What the script returns."""
        return self.driver.execute_script(script, *arguments)

    def run_async(self, script: str, *arguments: object) -> Any:
        """What the script hands to its last argument, a function. Raises TimeoutException."""
        return self.driver.execute_async_script(script, *arguments)

    def beyond(self) -> int:
        """By how many pixels the page is wider than the window."""
        width: int = self.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return width

    def complaints(self) -> list[str]:
        """What the console says."""
        return [each["message"] for each in self._log("browser")]

    def asked(self) -> set[str]:
        """The origins that were asked for something."""
        entries = (json.loads(each["message"])["message"] for each in self._log("performance"))
        sent = (
            each["params"]["request"]["url"] for each in entries if each["method"] == "Network.requestWillBeSent"
        )
        return {f"{url.scheme}://{url.netloc}" for url in map(urlsplit, sent) if url.scheme not in INNER}

    def photograph(self, file: Path, height: int) -> None:
        """The page from its top, as a PNG."""
        width = self.run("return innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        shot = self._command("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
        file.write_bytes(base64.b64decode(shot["data"]))

    def _log(self, name: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.driver.get_log(name)  # type: ignore[no-untyped-call]
        return entries

    def _command(self, name: str, arguments: dict[str, Any]) -> Any:
        return self.driver.execute_cdp_cmd(name, arguments)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a past. Raises CannotInstall."""
    options = ChromeOptions()
    options.binary_location = install.require(install.CHROMIUM)
    service = Service(install.require(install.CHROMEDRIVER))
    with TemporaryDirectory(prefix="apidot-", ignore_cleanup_errors=True) as profile:
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        driver = Chrome(options=options, service=service)
        try:
            driver.set_script_timeout(SECONDS)
            yield Browser(driver)
        finally:
            driver.quit()
