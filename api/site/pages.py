"""What is there for a person with a browser, and for those who watch the service: /, /docs and /health/."""

import importlib.resources
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path

from starlette.types import Receive, Scope, Send

from api import health
from api.endpoint import Endpoint
from api.middleware.passthrough import Passthrough
from api.site.assets import PAGE, Asset, versioned, wants

WEB = Path(__file__).parent
FOLDER = "/docs/assets/"
# Swagger UI, which a Python package brings along.
PACKAGE = "mkdocs_swagger_ui_tag"
FROM_PACKAGE = ("javascripts/swagger-ui-bundle.js", "stylesheets/swagger-ui.css")

HEALTH = {
    "/health/live": Endpoint(health.live),
    "/health/ready": Endpoint(health.ready),
}
for path, endpoint in HEALTH.items():
    endpoint.route = path


class StartPage:
    """The page at `/` for browsers; for everybody else there is nothing here, or what the game server has."""

    # What it is called in the log and in figures.
    route = "/"

    def __init__(self, page: Asset) -> None:
        self.methods = page.methods
        self._page = page
        self._others = Passthrough()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reads = scope["method"] in self.methods and scope["path"] == "/"
        if reads and wants(scope, b"accept", "text/html"):
            await self._page(scope, receive, send)
        else:
            await self._others.handle(scope, receive, send)


Served = Endpoint | Asset | StartPage


def pages() -> dict[str, Served]:
    """Each path, and what answers there."""
    reference = list(_reference())
    own = (
        (file.name, file.read_bytes()) for file in sorted(WEB.iterdir()) if file.suffix in (".css", ".js", ".svg")
    )
    assets = versioned(FOLDER, [*own, *reference])

    def page(name: str, status: int = 200, **headers: str) -> Asset:
        html = (WEB / name).read_text("utf-8")
        for plain, (address, _) in assets.items():
            html = html.replace(f'"{plain}"', f'"{address}"')
        return Asset(name, html.encode(), PAGE | headers, status)

    return {
        "/": StartPage(page("start.html", Vary="Accept, Accept-Encoding")),
        "/docs": page("docs.html") if reference else page("no-docs.html", 501),
        **dict(assets.values()),
        **HEALTH,
    }


def _reference() -> Iterator[tuple[str, bytes]]:
    """The files of Swagger UI, none when it is not installed."""
    try:
        package: Traversable = importlib.resources.files(PACKAGE)
    except ModuleNotFoundError:
        return
    for path in FROM_PACKAGE:
        file = package.joinpath("swagger-ui", *path.split("/"))
        yield file.name, file.read_bytes()
