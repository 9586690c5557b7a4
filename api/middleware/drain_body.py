"""Request bodies of which a part is still unread when the response begins."""

import asyncio

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.request.body import declared_length

# How much is read and dropped, in bytes and seconds: a client that reads the response only after it has sent its
# whole body gets it, and an endless body is cut off.
DRAIN_LIMIT = 16 * 2**20
DRAIN_TIMEOUT = 5.0

NO_BODY = ("GET", "HEAD", "OPTIONS")


class DrainUnreadBody:
    """Reads and drops the rest of a request body after the response.

    If the rest may be too long, or may not come, the response closes the connection. A body that is being passed
    on to the game server is left alone, since it goes on being read.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in NO_BODY:
            await self.app(scope, receive, send)
            return
        begun = finished = draining = False

        async def receive_and_note_end() -> Message:
            nonlocal begun, finished
            begun = True
            message = await receive()
            finished = message["type"] == "http.disconnect" or not message.get("more_body", False)
            return message

        async def drain() -> None:
            dropped = 0
            try:
                async with asyncio.timeout(DRAIN_TIMEOUT):
                    while not finished and dropped <= DRAIN_LIMIT:
                        dropped += len((await receive_and_note_end()).get("body", b""))
            except TimeoutError:
                pass

        async def send_and_drain(message: Message) -> None:
            nonlocal draining
            if message["type"] == "http.response.start" and not finished:
                headers = Headers(scope=scope)
                # A client that waits for "100 Continue" does not send its body after another response.
                expected = begun or "expect" not in headers
                streaming = scope.get("body_streaming", False)
                draining = expected and declared_length(headers) <= DRAIN_LIMIT and not streaming
                keep = streaming or (draining and "transfer-encoding" not in headers)
                if not keep or message["status"] == 408:
                    MutableHeaders(scope=message)["Connection"] = "close"
            elif draining and not message.get("more_body", False):
                # The client has the whole response now. The server does not close the connection before its end.
                await send({**message, "more_body": True})
                await drain()
                message = {"type": "http.response.body"}
            await send(message)

        await self.app(scope, receive_and_note_end, send_and_drain)
