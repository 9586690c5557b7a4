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
    """Reads and drops the rest of a request body before the response begins.

    If the rest is too long, or takes too long, the connection is closed after the response instead. A body that is
    being passed on to the game server is left alone, since it goes on being read.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in NO_BODY:
            await self.app(scope, receive, send)
            return
        finished = False

        async def receive_and_note_end() -> Message:
            nonlocal finished
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

        async def drain_and_send(message: Message) -> None:
            unread = not finished and not scope.get("body_streaming")
            if message["type"] == "http.response.start" and unread:
                if declared_length(Headers(scope=scope)) <= DRAIN_LIMIT:
                    await drain()
                if not finished:
                    MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self.app(scope, receive_and_note_end, drain_and_send)
