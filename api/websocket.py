"""The connection of a WebSocket (RFC 6455), and what a client may use up on it."""

import asyncio
from collections import deque
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

from starlette.types import ASGIApp, Message
from uvicorn.server import ServerState
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol

from api.response.encoded import encode
from api.response.errors import failure
from domain.errors import ErrorSpec

Raw = tuple[bytes, bytes]

# Under these paths alone a request may become a WebSocket.
PATHS = ("/v1/ws", "/api/v1/ws")
# The messages with which an application answers a request, or accepts or refuses a handshake: those with headers.
ANSWERS = frozenset({"http.response.start", "websocket.http.response.start", "websocket.accept"})
BODIES = frozenset({"http.response.body", "websocket.http.response.body"})
# A message of a client, in bytes, all its frames together.
MAX_MESSAGE = 16 * 1024
# Frames of a client, those of pings too, in this many seconds.
MAX_FRAMES = 200
FRAME_WINDOW = 10.0
TOO_MANY_FRAMES = f"more than {MAX_FRAMES} frames in {FRAME_WINDOW:.0f} seconds"
# Seconds between two pings. A client that has not answered one by the next has left, or reads nothing any more.
# The nginx of deploy/nginx.conf closes a connection on which nothing is sent for 35 seconds.
PING_INTERVAL = 20.0
# Seconds that a client has to finish the closing handshake.
CLOSE_TIMEOUT = 2.0
# How much is parsed at a time. A frame has at least 6 bytes.
PIECE = 4 * 1024

HANDSHAKE_HEADERS = frozenset({b"connection", b"upgrade", b"sec-websocket-key", b"sec-websocket-version"})
# The longest that each of these may be, in bytes.
MAX_HEADER = 1024
LENGTHS = frozenset({b"content-length", b"transfer-encoding"})
FAILED = ErrorSpec(500, "Internal server error.")


class Handshake(NamedTuple):
    """A valid handshake: the state of the WebSocket, and the response that opens it."""

    connection: ServerProtocol
    response: Response


def read_handshake(method: bytes, version: str, headers: Sequence[Raw]) -> Handshake | None:
    """Return the handshake of a request with these headers, None if it is not a valid one."""
    has_body = any(name in LENGTHS and value != b"0" for name, value in headers)
    relevant = [header for header in headers if header[0] in HANDSHAKE_HEADERS]
    if method != b"GET" or version != "1.1" or has_body or any(len(value) > MAX_HEADER for _, value in relevant):
        return None
    # No extension: compression takes more memory for each connection than all the rest.
    connection = ServerProtocol(max_size=MAX_MESSAGE)
    lines = [b"GET / HTTP/1.1", *(b"%b: %b" % header for header in relevant), b"\r\n"]
    connection.receive_data(b"\r\n".join(lines))
    for request in connection.events_received():
        assert isinstance(request, Request)
        response = connection.accept(request)
        if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            return Handshake(connection, response)
    return None


class WebSocketProtocol(asyncio.Protocol):
    """A WebSocket as ASGI has it, on the connection of the HTTP request that it began with.

    - The client's messages are limited in size, its frames in number. One that exceeds a limit is disconnected.
    - Nothing is read while the application has not taken a message, or the client what was sent to it.
    - A client that does not answer a ping is disconnected.
    - When the server shuts down, the close frame says "service restart" (1012).
    """

    def __init__(
        self,
        handshake: Handshake,
        app: ASGIApp,
        scope: dict[str, Any],
        transport: asyncio.Transport,
        state: ServerState,
    ) -> None:
        """`scope` is that of the HTTP request."""
        self._connection, self._response = handshake
        self._app = app
        self._scope = scope | {
            "type": "websocket",
            "asgi": {**scope["asgi"], "spec_version": "2.4"},
            "scheme": "wss" if scope["scheme"] == "https" else "ws",
            "subprotocols": [],
            "extensions": {"websocket.http.response": {}},
        }
        self._transport = transport
        self._state = state
        self._loop = asyncio.get_running_loop()
        self._accepted = False
        self._shutting_down = False
        # Begins the response with which the application refuses the handshake.
        self._refusal: Message = {}
        # Messages for the application, which waits for `_arrived`. After "disconnected" there is none.
        self._messages: deque[Message] = deque([{"type": "websocket.connect"}])
        self._arrived = asyncio.Event()
        self._disconnected = False
        # What has been received of a message in several frames.
        self._fragments = bytearray()
        self._is_text = True
        # Received, and not parsed yet.
        self._unparsed = b""
        self._parsing = False
        self._writable = asyncio.Event()
        self._writable.set()
        self._frames = 0
        self._window_end = 0.0
        self._pong_awaited = False
        self._ending = False
        # Sends the next ping, or ends the closing handshake.
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, rest: bytes) -> None:
        """Take over the connection, and call the application. `rest` was received after the request."""
        self._unparsed = rest
        self._transport.pause_reading()
        self._transport.set_protocol(self)
        self._state.connections.add(self)  # type: ignore[arg-type]
        task = self._loop.create_task(self._run())
        task.add_done_callback(self._state.tasks.discard)
        self._state.tasks.add(task)

    # Called by the transport and the server.

    def data_received(self, data: bytes) -> None:
        self._unparsed += data
        self._parse()

    def connection_lost(self, _: Exception | None) -> None:
        self._state.connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        self._disconnect(CloseCode.ABNORMAL_CLOSURE)
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()
        self._parse()

    def shutdown(self) -> None:
        """Close the WebSocket; one that is not open yet, as soon as it is."""
        self._scope["state"]["services"].events.stop()
        self._shutting_down = True
        if self._accepted:
            self._close(CloseCode.SERVICE_RESTART)

    # The application.

    async def _run(self) -> None:
        code = CloseCode.INTERNAL_ERROR
        try:
            await self._app(self._scope, self._receive, self._send)
            code = CloseCode.NORMAL_CLOSURE
        except Exception:
            # The application has logged it.
            pass
        finally:
            if self._accepted:
                self._close(code)
            else:
                body = encode(failure(self._scope["path"], FAILED.message))
                length = b"%d" % len(body)
                headers = [(b"content-type", b"application/json"), (b"content-length", length)]
                self._refuse(FAILED.status, headers, body)

    async def _receive(self) -> Message:
        while not self._messages:
            self._arrived.clear()
            await self._arrived.wait()
        message = self._messages.popleft()
        self._parse()
        return message

    async def _send(self, message: Message) -> None:
        """Send a message once the client has received those before. What is sent after the end is dropped."""
        match message["type"]:
            case "websocket.close" if self._accepted:
                self._close(message.get("code", CloseCode.NORMAL_CLOSURE), message.get("reason") or "")
            case "websocket.close":
                self._refuse(HTTPStatus.FORBIDDEN, [(b"content-length", b"0")], b"")
            case "websocket.http.response.start":
                self._refusal = message
            case "websocket.http.response.body":
                self._refuse(self._refusal["status"], self._refusal["headers"], message["body"])
            case "websocket.accept":
                self._accept(message.get("headers", ()))
            case _:
                await self._writable.wait()
                if self._connection.state is State.OPEN:
                    self._connection.send_text(message["text"].encode())
                    self._write()

    def _accept(self, headers: Sequence[Raw]) -> None:
        if self._disconnected:
            return
        self._accepted = True
        del self._response.headers["Date"]
        for name, value in [*self._state.default_headers, *headers]:
            self._response.headers[name.decode("latin-1")] = value.decode("latin-1")
        self._connection.send_response(self._response)
        self._write()
        self._timer = self._loop.call_later(PING_INTERVAL, self._ping)
        if self._shutting_down:
            self.shutdown()
        self._parse()

    def _refuse(self, status: int, headers: Sequence[Raw], body: bytes) -> None:
        """Answer the handshake as an HTTP request, and close the connection."""
        if self._disconnected:
            return
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()]
        lines += [b"%b: %b" % header for header in [*self._state.default_headers, *headers]]
        self._transport.write(b"\r\n".join([*lines, b"connection: close", b"", body]))
        self._transport.close()
        self._disconnect(CloseCode.ABNORMAL_CLOSURE)

    # Frames.

    def _parse(self) -> None:
        """Parse what was received, until there is a message for the application. Read on after that."""
        # Parsing can write, and so lead here.
        if not self._accepted or self._parsing or self._transport.is_closing():
            return
        self._parsing = True
        while self._unparsed and self._takes_more:
            piece, self._unparsed = self._unparsed[:PIECE], self._unparsed[PIECE:]
            self._connection.receive_data(piece)
            for frame in self._connection.events_received():
                assert isinstance(frame, Frame)
                if not self._disconnected:
                    self._take(frame)
            if self._connection.parser_exc is not None and self._connection.close_sent is not None:
                self._disconnect(self._connection.close_sent.code)
            self._write()
        self._parsing = False
        if self._unparsed or not self._takes_more:
            self._transport.pause_reading()
        elif not self._transport.is_closing():
            self._transport.resume_reading()

    @property
    def _takes_more(self) -> bool:
        # The closing handshake needs neither the application nor an end of what was sent before.
        return self._disconnected or (not self._messages and self._writable.is_set())

    def _take(self, frame: Frame) -> None:
        """Count a frame, and pass the message on that it completes."""
        now = self._loop.time()
        if now >= self._window_end:
            self._frames, self._window_end = 0, now + FRAME_WINDOW
        self._frames += 1
        if self._frames > MAX_FRAMES:
            self._break_off(CloseCode.POLICY_VIOLATION, TOO_MANY_FRAMES)
        elif frame.opcode is Opcode.CLOSE:
            assert self._connection.close_rcvd is not None
            self._disconnect(self._connection.close_rcvd.code)
        elif frame.opcode is Opcode.PONG:
            self._pong_awaited = False
        elif frame.opcode is not Opcode.PING:
            if frame.opcode is not Opcode.CONT:
                self._fragments.clear()
                self._is_text = frame.opcode is Opcode.TEXT
            self._fragments += frame.data
            if frame.fin:
                self._pass_on(bytes(self._fragments))

    def _pass_on(self, message: bytes) -> None:
        self._fragments.clear()
        if not self._is_text:
            self._add({"type": "websocket.receive", "bytes": message})
            return
        try:
            self._add({"type": "websocket.receive", "text": message.decode()})
        except UnicodeDecodeError:
            self._break_off(CloseCode.INVALID_DATA, "the text is not UTF-8")

    def _add(self, message: Message) -> None:
        self._messages.append(message)
        self._arrived.set()

    def _disconnect(self, code: int) -> None:
        """Tell the application that the WebSocket has ended."""
        if not self._disconnected:
            self._disconnected = True
            self._add({"type": "websocket.disconnect", "code": code})

    def _close(self, code: int, reason: str = "") -> None:
        if self._connection.state is State.OPEN:
            self._connection.send_close(code, reason)
            self._disconnect(code)
            self._write()
            self._parse()

    def _break_off(self, code: int, reason: str) -> None:
        """Close the WebSocket because of what the client sent."""
        self._connection.fail(code, reason)
        self._disconnect(code)

    def _ping(self) -> None:
        if self._pong_awaited:
            self._transport.abort()
            return
        self._pong_awaited = True
        self._connection.send_ping(b"")
        self._timer = self._loop.call_later(PING_INTERVAL, self._ping)
        self._write()

    def _write(self) -> None:
        """Send what the library has to send. After a close frame, the connection ends soon."""
        if self._transport.is_closing():
            return
        for data in self._connection.data_to_send():
            if data:
                self._transport.write(data)
            else:
                # Closing it now would reset the connection if the client is sending, and drop the close frame.
                self._transport.write_eof()
        if self._connection.close_expected() and not self._ending:
            self._ending = True
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_later(CLOSE_TIMEOUT, self._transport.abort)
