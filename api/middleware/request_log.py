"""Request ids, the access log, request metrics, and the log of unhandled exceptions."""

import asyncio
import logging
from random import getrandbits
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.observability.access_log import AccessRecord, LoggedTarget
from api.observability.metrics import OTHER, Metrics
from api.response.errors import error_response
from api.websocket import ANSWERS, BODIES
from domain.errors import ErrorSpec

log = logging.getLogger("apidot")
access_log = logging.getLogger("apidot.access")
# The status of a WebSocket.
SWITCHING_PROTOCOLS = 101
# nginx's status for a client that disconnected before the response.
CLIENT_CLOSED_REQUEST = 499
# deploy/nginx.conf has the same text, for the time in which no process listens.
RESTARTING = ErrorSpec(503, "The API is being restarted.")
RESTARTED_AFTER = "5"  # seconds


class RequestLog:
    """Middleware: gives each request an id, sends it as `X-Request-ID`, and logs and counts the request.

    A WebSocket is one request, which ends with it.
    """

    def __init__(
        self, app: ASGIApp, *, target: LoggedTarget | None = None, metrics: Metrics | None = None
    ) -> None:
        """Without `target` there is no access log, without `metrics` requests are not counted."""
        self.app = app
        self._target = target
        self._metrics = metrics
        self.in_flight = 0
        # How many requests were in flight when the server was told to stop.
        self.draining = 0
        # How many of them the server has cancelled, because they took too long.
        self.cut_off = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        start = perf_counter()
        # As unique as a UUID, at a sixth of the cost.
        request_id: str = scope.get("request_id") or f"{getrandbits(128):032x}"
        header = (b"x-request-id", request_id.encode())
        status = size = 0
        finished = False

        async def send_with_id(message: Message) -> None:
            nonlocal status, size, finished
            if message["type"] in ANSWERS:
                status = message.get("status", SWITCHING_PROTOCOLS)
                # A stream goes on until the client leaves.
                self.in_flight -= scope.get("streaming", False)
                # A new message: this one may be cached, to be sent again.
                message = {**message, "headers": [*message.get("headers", ()), header]}
            else:
                size += sent_bytes(message)
                finished = message["type"] in BODIES and not message.get("more_body", False)
            await send(message)

        self.in_flight += 1
        try:
            await self.app(scope, receive, send_with_id)
        except asyncio.CancelledError:
            # Nobody but the server cancels a request. It closes the connection if the response has begun.
            self.cut_off += 1
            if not status:
                headers = {"Retry-After": RESTARTED_AFTER, "Connection": "close"}
                response = error_response(scope, *RESTARTING, headers)
                await response(scope, receive, send_with_id)
        except Exception:
            status = status or 500
            # repr(): a path may contain a line break, followed by what looks like a log line.
            log.exception("request %s failed: %s %r", request_id, scope["method"], scope["path"])
            # The server closes the connection, or the client would take the incomplete response for complete.
            if not finished:
                raise
        finally:
            self.in_flight -= not scope.get("streaming", False)
            self._record(scope, request_id, status or CLIENT_CLOSED_REQUEST, perf_counter() - start, size)

    def _record(self, scope: Scope, request_id: str, status: int, seconds: float, size: int) -> None:
        method: str = scope["method"]
        route = scope.get("route")
        # Starlette's own route object, unless a route has put its name there.
        if not isinstance(route, str):
            route = ""
        cache: str = scope.get("cache", "")
        if method == "HEAD":
            size = 0
        if self._metrics is not None:
            timed = None if scope.get("streaming", False) else seconds
            self._metrics.on_request(route or OTHER, method, status, timed, size, cache)
        if self._target is not None and access_log.isEnabledFor(logging.INFO):
            path = self._target.format(route, scope["raw_path"], scope["query_string"])
            client = scope["client"][0] if scope["client"] else "-"
            ms = round(seconds * 1000, 3)
            record = AccessRecord(method, path, status, ms, size, client, request_id, route, cache)
            # Creating the LogRecord by hand halves its cost.
            access_log.handle(logging.LogRecord(access_log.name, logging.INFO, "", 0, record, None, None))


def sent_bytes(message: Message) -> int:
    """Return how many bytes of a body, or of a message of a WebSocket, are sent with this."""
    return len(message["text"].encode() if message["type"] == "websocket.send" else message.get("body", b""))
