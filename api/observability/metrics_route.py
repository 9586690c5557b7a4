"""/metrics, for those who may read it; for everybody else there is no such page."""

import asyncio

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from api.middleware.client_address import CLOUDFLARE
from api.observability.metrics import Metrics
from api.observability.process_metrics import Samples
from config.types import Networks

PATH = "/metrics"


class MetricsPage(BaseRoute):
    """The page. Nobody's request for it is passed on to the game server, which has none."""

    def __init__(self, metrics: Metrics | None, samples: Samples | None, readers: Networks) -> None:
        """`readers` may read it; without metrics nobody may."""
        self._metrics = metrics
        self._samples = samples
        self._readers = readers

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """A full match for the path."""
        found = scope["type"] == "http" and scope["path"] == PATH
        return (Match.FULL, {"route": PATH}) if found else (Match.NONE, {})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers with the figures of all workers."""
        if self._metrics is None or self._samples is None or not self._may_read(scope):
            raise HTTPException(404)
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        self._samples.take()
        # With several workers it is put together from files.
        page = await asyncio.to_thread(self._metrics.page)
        headers = {"Content-Type": CONTENT_TYPE_PLAIN_0_0_4, "Cache-Control": "no-store"}
        await Response(page, headers=headers)(scope, receive, send)

    def _may_read(self, scope: Scope) -> bool:
        # A proxy that passes this header on without looking passes on what anybody may write into it.
        if any(name == CLOUDFLARE for name, _ in scope["headers"]):
            return False
        return bool(scope["client"]) and scope["client"][0] in self._readers
