"""Around every request: its id, and the log of faults."""

import logging
import uuid

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("apidot")


class RequestID:
    """Gives each request an id, answers with it in `X-Request-ID`, and logs a fault of ours under it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = uuid.uuid4().hex
        finished = False

        async def send_with_id(message: Message) -> None:
            nonlocal finished
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            elif message["type"] == "http.response.body":
                finished = not message.get("more_body", False)
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except Exception:
            # A path may hold a line break, and with it a line that looks like ours.
            log.exception("request %s failed: %s %r", request_id, scope["method"], scope["path"])
            # An answer cut short must end the connection, or the client would take it for whole.
            if not finished:
                raise
