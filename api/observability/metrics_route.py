"""/metrics, for clients that may read it; a 404 for all others."""

import asyncio

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.observability.metrics import Metrics
from config.types import Networks


class MetricsPage:
    """An ASGI application that serves the metrics of all workers.

    It is the route of /metrics even if nobody may read it: the request is not passed to the game server.
    """

    path = "/metrics"

    def __init__(self, metrics: Metrics | None, readers: Networks) -> None:
        """Clients in `readers` may read it. `metrics` is None if no metrics are collected."""
        self._metrics = metrics
        self._readers = readers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = self.path
        # Starlette's pattern would also take a path that ends with a line break.
        if scope["path"] != self.path or self._metrics is None or not self._may_read(scope):
            raise HTTPException(404)
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        self._metrics.sample()
        # In a thread: with several workers it reads their files.
        page = await asyncio.to_thread(self._metrics.render)
        headers = {"Content-Type": CONTENT_TYPE_PLAIN_0_0_4, "Cache-Control": "no-store"}
        await Response(page, headers=headers)(scope, receive, send)

    def _may_read(self, scope: Scope) -> bool:
        return bool(scope["client"]) and scope["client_known"] and scope["client"][0] in self._readers
