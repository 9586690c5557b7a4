"""The pages for browsers: the start page at / and the API reference at /docs."""

import importlib.resources
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path, PurePath

from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from api.response.cache import READS
from api.site.assets import IMMUTABLE, PAGE_HEADERS, Asset, accepts

HERE = Path(__file__).parent
ASSETS = "/docs/assets/"
# An optional Python package that contains Swagger UI.
PACKAGE = "mkdocs_swagger_ui_tag"
SWAGGER_UI = ("javascripts/swagger-ui-bundle.js", "stylesheets/swagger-ui.css")


class StartPage(BaseRoute):
    """The route of the start page, for browsers only: other clients get the root of the game server."""

    def __init__(self, page: Asset) -> None:
        self._page = page

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] not in READS:
            return Match.NONE, {}
        return (Match.FULL, {"route": "/"}) if accepts(scope, b"accept", "text/html") else (Match.NONE, {})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._page(scope, receive, send)


def pages() -> dict[str, Asset]:
    """Return the pages and the files they load, by path. / is the start page."""
    swagger_ui = list(_swagger_ui())
    own = ((file.name, file.read_bytes()) for file in HERE.iterdir() if file.suffix in (".css", ".js", ".svg"))
    assets: dict[str, Asset] = {}
    urls: dict[str, str] = {}
    for name, content in [*own, *swagger_ui]:
        asset = Asset(name, content, IMMUTABLE)
        # Browsers cache these files for good, so their URL changes with their content.
        urls[name] = f"{ASSETS}{PurePath(name).stem}.{asset.digest}{PurePath(name).suffix}"
        assets[urls[name]] = asset

    def html(name: str) -> bytes:
        text = (HERE / name).read_text("utf-8")
        for file, url in urls.items():
            text = text.replace(f'"{ASSETS}{file}"', f'"{url}"')
        return text.encode()

    start_headers = PAGE_HEADERS | {"Vary": "Accept, Accept-Encoding"}
    docs, status = ("docs.html", 200) if swagger_ui else ("no-docs.html", 501)
    return {
        "/": Asset("start.html", html("start.html"), start_headers),
        "/docs": Asset(docs, html(docs), PAGE_HEADERS, status),
        **assets,
    }


def _swagger_ui() -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of each file of Swagger UI; nothing if the package is not installed."""
    try:
        package: Traversable = importlib.resources.files(PACKAGE)
    except ModuleNotFoundError:
        return
    for path in SWAGGER_UI:
        file = package.joinpath("swagger-ui", *path.split("/"))
        yield file.name, file.read_bytes()
