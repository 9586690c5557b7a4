"""Around every request: its id, its line in the log, its share of the figures, and the log of faults."""

import logging
from random import getrandbits
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.observability import access_log
from api.observability.metrics import OTHER, Metrics

log = logging.getLogger("apidot")
# As nginx has it: the client left before there was an answer.
LEFT = 499


class RequestLog:
    """Gives each request an id, answers with it in `X-Request-ID`, and tells what became of it under that id."""

    def __init__(
        self, app: ASGIApp, *, targets: access_log.LoggedTarget | None = None, metrics: Metrics | None = None
    ) -> None:
        """`targets` writes what was asked into the log, `metrics` counts it; without them that is left out."""
        self.app = app
        self._targets = targets
        self._metrics = metrics
        self.in_flight = 0
        # Of those, how many were when the server was told to stop.
        self.draining = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = perf_counter()
        # As unlikely as a UUID to come twice, at a sixth of its cost.
        request_id: str = scope.get("request_id") or f"{getrandbits(128):032x}"
        header = (b"x-request-id", request_id.encode())
        status = size = 0
        finished = False

        async def send_with_id(message: Message) -> None:
            nonlocal status, size, finished
            if message["type"] == "http.response.start":
                status = message["status"]
                # A new one: the message may be kept, to be sent again.
                message = {**message, "headers": [*message.get("headers", ()), header]}
            elif message["type"] == "http.response.body":
                size += len(message.get("body", b""))
                finished = not message.get("more_body", False)
            await send(message)

        self.in_flight += 1
        try:
            await self.app(scope, receive, send_with_id)
        except Exception:
            status = status or 500
            # A path may hold a line break, and with it a line that looks like ours.
            log.exception("request %s failed: %s %r", request_id, scope["method"], scope["path"])
            # An answer cut short must end the connection, or the client would take it for whole.
            if not finished:
                raise
        finally:
            self.in_flight -= 1
            self._tell(scope, request_id, status or LEFT, perf_counter() - begun, size)

    def _tell(self, scope: Scope, request_id: str, status: int, seconds: float, size: int) -> None:
        method: str = scope["method"]
        route = scope.get("route")
        # Starlette puts its own object there when a route leaves it at that.
        if not isinstance(route, str):
            route = ""
        cache: str = scope.get("cache", "")
        if method == "HEAD":
            size = 0
        if self._metrics is not None:
            self._metrics.on_request(route or OTHER, method, status, seconds, size, cache)
        if self._targets is not None and access_log.log.isEnabledFor(logging.INFO):
            path = self._targets.text(route, scope["raw_path"], scope["query_string"])
            client = scope["client"][0] if scope["client"] else "-"
            ms = round(seconds * 1000, 3)
            access_log.write(
                access_log.AccessRecord(method, path, status, ms, size, client, request_id, route, cache)
            )
