"""The start page at / and the API reference at /docs, with the scripts, styles and images they load."""

import hashlib
import importlib.resources
import mimetypes
from collections.abc import Iterator
from html import escape
from importlib.resources.abc import Traversable
from pathlib import Path, PurePath

from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from api.middleware.passthrough import Passthrough
from api.response.cache import READS
from api.response.encoded import EncodedResponse, accept_weights

HERE = Path(__file__).parent
ASSETS = "/docs/assets/"
# An optional Python package that contains Swagger UI.
PACKAGE = "mkdocs_swagger_ui_tag"
SWAGGER_UI = ("javascripts/swagger-ui-bundle.js", "stylesheets/swagger-ui.css")
# Browsers keep these files for good: a hash of the content is part of the URL.
IMMUTABLE = b"public, max-age=31536000, immutable"
# In docs.html, and what takes its place in the demo world.
DEMO_NOTE = "<!-- the note of the demo world -->"
DEMO_TEXT = """<aside class="note">This is the demo world. To try the endpoints that need an API key, enter
<code>{}</code> under Authorize: it is the key of the player with ID 4.</aside>"""
PAGE_HEADERS = (
    # Nothing from other sites and nothing inline: a text that a player chose can never run as a script.
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        b" base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"referrer-policy", b"same-origin"),
)


class Asset(EncodedResponse):
    """An ASGI application that serves one file, compressed to clients that accept that."""

    methods = READS
    # Its name in the log and in metrics.
    route = "/docs"

    def __init__(
        self, name: str, content: bytes, cache_control: bytes, *headers: tuple[bytes, bytes], status: int = 200
    ) -> None:
        """The media type follows from the suffix of `name`."""
        super().__init__(content, cache_control, ages=False)
        self.status = status
        self.media_type = f"{mimetypes.guess_type(name)[0]}; charset=utf-8".encode()
        self._headers += [(b"x-content-type-options", b"nosniff"), *headers]


class StartPage(Passthrough):
    """The route of /: the start page for browsers. Other requests are passed to the game server."""

    def __init__(self, page: Asset) -> None:
        self._page = page

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, _ = super().matches(scope)
        return (match, {"route": "/"}) if scope["path"] == "/" else (Match.NONE, {})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        accept = b",".join(value for name, value in scope["headers"] if name == b"accept")
        if scope["method"] in READS and accept_weights(accept).get(b"text/html", 0) > 0:
            await self._page(scope, receive, send)
        else:
            await super().handle(scope, receive, send)


def pages(demo_key: str = "") -> dict[str, Asset]:
    """Return the pages and the files they load, by path. / is the start page.

    The reference names `demo_key`, if it is not empty.
    """
    swagger_ui = list(_swagger_ui())
    own = ((file.name, file.read_bytes()) for file in HERE.iterdir() if file.suffix in (".css", ".js", ".svg"))
    assets: dict[str, Asset] = {}
    urls: dict[str, str] = {}
    for name, content in [*own, *swagger_ui]:
        digest = hashlib.sha256(content).hexdigest()[:16]
        urls[name] = f"{ASSETS}{PurePath(name).stem}.{digest}{PurePath(name).suffix}"
        assets[urls[name]] = Asset(name, content, IMMUTABLE)

    def page(name: str, *headers: tuple[bytes, bytes], status: int = 200) -> Asset:
        text = (HERE / name).read_text("utf-8")
        text = text.replace(DEMO_NOTE, DEMO_TEXT.format(escape(demo_key)) if demo_key else "")
        for file, url in urls.items():
            text = text.replace(f'"{ASSETS}{file}"', f'"{url}"')
        return Asset(name, text.encode(), b"no-cache", *PAGE_HEADERS, *headers, status=status)

    return {
        "/": page("start.html", (b"vary", b"Accept")),
        "/docs": page("docs.html") if swagger_ui else page("no-docs.html", status=501),
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
