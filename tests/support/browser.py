"""A headless Chromium, at any width and in both colour schemes."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal
from urllib.parse import urlsplit

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.support import install

Scheme = Literal["light", "dark"]
# The sandbox does not work as root. The other flags stop Chromium from sending requests of its own.
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
# Schemes of URLs that are not loaded from the network.
LOCAL = ("data", "blob", "chrome", "about")
HEIGHT = 900
TIMEOUT = 60  # seconds for a condition or a script


class Browser:
    """A browser with its console messages and requests since they were last read."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def open(self, url: str, width: int, scheme: Scheme) -> None:
        """Open a page in a window of that width in CSS pixels."""
        size = {"width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": width < 500}
        self._command("Emulation.setDeviceMetricsOverride", size)
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self._command("Emulation.setEmulatedMedia", media)
        self.driver.get("about:blank")
        self.console()
        self.origins()
        self.driver.get(url)

    def all(self, selector: str) -> list[WebElement]:
        """Return every element that matches the CSS selector."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str, text: str = "") -> WebElement:
        """Wait for a displayed element that contains the text, and return it. Raise TimeoutException."""

        def find(_: object) -> WebElement | Literal[False]:
            displayed = (element for element in self.all(selector) if element.is_displayed())
            return next((element for element in displayed if text in element.text.replace("\u200b", "")), False)

        element: WebElement = self.wait(find, f"{selector} with {text!r}")
        return element

    def wait(self, condition: Callable[[object], Any], what: str) -> Any:
        """Wait until `condition` returns a true value, and return it. Raise TimeoutException."""
        # An element may be replaced while the condition looks at it.
        ignored = (StaleElementReferenceException,)
        return WebDriverWait(self.driver, TIMEOUT, ignored_exceptions=ignored).until(condition, what)

    def click(self, element: WebElement) -> None:
        """Scroll to an element and click it."""
        self.run("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def run(self, script: str, *arguments: object) -> Any:
        """Run a script and return its result."""
        return self.driver.execute_script(script, *arguments)

    def run_async(self, script: str, *arguments: object) -> Any:
        """Run a script and return what it passes to its last argument, a callback. Raise TimeoutException."""
        return self.driver.execute_async_script(script, *arguments)

    def overflow(self) -> int:
        """Return how many pixels the page is wider than the window."""
        width: int = self.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return width

    def console(self) -> list[str]:
        """Return the new messages of the console."""
        return [entry["message"] for entry in self._log("browser")]

    def origins(self) -> set[str]:
        """Return the origins that new requests were sent to."""
        events = (json.loads(entry["message"])["message"] for entry in self._log("performance"))
        urls = (
            event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"
        )
        return {f"{url.scheme}://{url.netloc}" for url in map(urlsplit, urls) if url.scheme not in LOCAL}

    def screenshot(self, file: Path, height: int) -> None:
        """Save the top of the page as a PNG."""
        width = self.run("return innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        image = self._command("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
        file.write_bytes(base64.b64decode(image["data"]))

    def _log(self, name: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.driver.get_log(name)  # type: ignore[no-untyped-call]
        return entries

    def _command(self, name: str, arguments: dict[str, Any]) -> Any:
        return self.driver.execute_cdp_cmd(name, arguments)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser with a new profile. Raises CannotInstall."""
    options = ChromeOptions()
    options.binary_location = install.require(install.CHROMIUM)
    service = Service(install.require(install.CHROMEDRIVER))
    with TemporaryDirectory(prefix="apidot-", ignore_cleanup_errors=True) as profile:
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        driver = Chrome(options=options, service=service)
        try:
            driver.set_script_timeout(TIMEOUT)
            yield Browser(driver)
        finally:
            driver.quit()
