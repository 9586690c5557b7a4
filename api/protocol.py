"""An HTTP connection: what is refused before a request reaches the application, and what a client may use up."""

import asyncio
import fcntl
import logging
import re
import socket
import struct
import termios
from contextlib import suppress
from functools import cache, lru_cache
from http import HTTPStatus
from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit
from typing import Any

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from api.response.encoded import encode
from api.response.errors import failure
from api.transport import JoinedWrites
from api.websocket import PATHS, Handshake, WebSocketProtocol, read_handshake
from domain.errors import APIError, ErrorSpec

log = logging.getLogger("apidot")

# The request line and all headers together, in bytes. Apache and Node.js allow a quarter of it.
MAX_HEAD = 64 * 1024
# 10 000 headers, which fit into that, would take the rest of the service 100 ms. Apache allows 100.
MAX_HEADERS = 200
# Seconds from the first byte of a request, or of a new connection, until the end of its headers.
HEAD_TIMEOUT = 30.0
# Seconds for which a client may take nothing of a response.
SEND_TIMEOUT = 60.0
# The same while the service stops.
STOP_TIMEOUT = 2.0
# Seconds for which the rest of a refused request is read and dropped. If the connection were closed at once, the
# operating system would reset it, and many clients would not see the response.
LINGER = 5.0
# A client that has sent everything may wait for the response, or may have left: TCP tells this only when something
# is sent to it. An interim response is, after this many seconds and again after as many.
PROBE_INTERVAL = 0.5
INTERIM = b"HTTP/1.1 102 Processing\r\n\r\n"
# How much is parsed at a time: up to 256 KiB are read at once, which may be 10 000 requests or 40 000 chunks of a
# body, and take 100 ms in which no other client would be served.
PIECE = 16 * 1024
# Connections of a worker, and how many open files are left for the database, Redis, the game server and replays.
MAX_CONNECTIONS = 4096
RESERVED_FILES = 256

NOT_HTTP = ErrorSpec(400, "This is not a valid HTTP request.")
NO_HOST = ErrorSpec(400, "The request has no Host header.")
SEVERAL_HOSTS = ErrorSpec(400, "The request has more than one Host header.")
INVALID_HOST = ErrorSpec(400, "The host of the request is not valid.")
HEAD_TIMED_OUT = ErrorSpec(408, f"The request's headers did not arrive within {HEAD_TIMEOUT:.0f} seconds.")
HEAD_TOO_LARGE = ErrorSpec(431, f"The request line and headers are larger than {MAX_HEAD} bytes.")
TOO_MANY_HEADERS = ErrorSpec(431, f"The request has more than {MAX_HEADERS} headers.")
UNKNOWN_ENCODING = ErrorSpec(501, "The only supported Transfer-Encoding is chunked.")
TOO_MANY_CONNECTIONS = ErrorSpec(503, "There are too many connections.")
UNKNOWN_VERSION = ErrorSpec(505, "Only HTTP/1.0 and HTTP/1.1 are supported.")

MAX_HOST = 300  # bytes; a DNS name has at most 255
CHECKED = frozenset({b"host", b"transfer-encoding"})
# A host and a port, or nothing. Whatever is not ASCII is let through: some clients do not encode such names.
HOST = re.compile(rb"""(\[[\w.:%~-]+\]|[^\x00-\x20\x7f"#/:<>?@\[\\\]^`{|}]*)(:\d*)?""", re.ASCII)
ABSOLUTE = re.compile(rb"https?://([^/?#]+)(.*)", re.IGNORECASE | re.DOTALL)


class Flow(FlowControl):
    """uvicorn's flow control, which does not resume reading while it is held.

    uvicorn resumes it after each response, and when an application asks for the body of its request.
    """

    held = False

    def resume_reading(self) -> None:
        if not self.held:
            super().resume_reading()


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol, which bounds what a connection uses up.

    - The size of the request line and the headers, and the time in which they arrive, are limited.
    - Nothing is read while requests are queued behind the one that is being answered.
    - The application waits until the client has received what was sent: uvicorn's buffer of 64 KiB would cost
      twice as much memory for each client that is slower than the disk.
    - Trailers are dropped. To uvicorn they are headers.
    - `Upgrade` is ignored, as RFC 9110 allows, except where there are WebSockets; uvicorn would lose the body of
      such a request.
    - A client that has shut down its sending side is answered.
    - What is refused gets a response in the form of all errors.
    """

    flow: Flow
    transport: JoinedWrites

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The request that is being answered, or was last. `self.cycle` is the last one that has been parsed.
        self._current: RequestResponseCycle | None = None
        # Received, and not parsed yet. Nothing more is read meanwhile.
        self._unparsed = memoryview(b"")
        # Bytes of the head, or of anything else that is no body, that is being received.
        self._head_size = 0
        self._head_timed = False
        # Why the parser was stopped at the end of a head. The context of its exception does not tell: while an
        # application handles an exception, that one is the context of all others.
        self._wrong_head: APIError | None = None
        # The response to a request that is refused. After that, nothing is parsed.
        self._refusal: bytes | None = None
        # When the connection is closed, unless a request is being answered. The timer may run out before that.
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        # Looks whether the client has received anything, while the application waits until it has.
        self._send_timer: asyncio.TimerHandle | None = None
        self._send_timeout = SEND_TIMEOUT

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.transport = JoinedWrites(transport, self.loop)
        transport.set_write_buffer_limits(high=0)
        with suppress(OSError, AttributeError):
            # Linux and TCP only. A peer that has vanished would hold the place of a stream for 15 minutes: what is
            # sent to it fits into the operating system's buffer, so nothing else notices.
            transport.get_extra_info("socket").setsockopt(
                socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(SEND_TIMEOUT * 1000)
            )
        self.flow = Flow(transport)
        self._close_after(HEAD_TIMEOUT)
        if len(self.connections) > max_connections():
            self._refuse(TOO_MANY_CONNECTIONS(retry_after=1))
            # Lingering would keep its file open.
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for timer in (self._timer, self._send_timer):
            if timer is not None:
                timer.cancel()
        self._timer = self._send_timer = None
        self.pipeline.clear()
        # uvicorn notifies the last request only, which may have been queued.
        if self._current is not None:
            disconnect(self._current)

    def data_received(self, data: bytes) -> None:
        if self._refusal is not None:
            return
        if len(data) <= PIECE:
            self._parse(data)
        else:
            self._unparsed = memoryview(data)
            self._parse_unparsed()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Return whether the connection stays open for a response."""
        # The event loop closes the transport if this returns False.
        self.transport.flush()
        # No request is queued, because nothing is read while one is.
        if self._idle or (self.cycle.more_body and not self._in_head):
            return False
        if self.cycle.scope.get("streaming", False):
            # A client may close its side and still read a response. A stream has no end, so its client has left.
            return False
        self.cycle.keep_alive = False
        # HTTP/1.0 has no interim responses.
        if self.cycle.scope["http_version"] == "1.1":
            self.loop.call_later(PROBE_INTERVAL, self._probe)
        return True

    def pause_writing(self) -> None:
        super().pause_writing()
        self._check_sending_later(unsent(self.transport))

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._send_timer is not None:
            self._send_timer.cancel()

    def shutdown(self) -> None:
        # uvicorn waits for the responses to end before it stops the application.
        self.app_state["services"].events.stop()
        self._send_timeout = STOP_TIMEOUT
        if self.flow.write_paused:
            self._check_sending_later(unsent(self.transport))
        if not self._idle:
            self.app_state["request_log"].draining += 1
        super().shutdown()

    # Called by the parser. An APIError is a refusal.

    def on_headers_complete(self) -> None:
        try:
            self._check_head()
        except APIError as error:
            self._wrong_head = error
            raise
        self._head_size = 0
        self._head_timed = False
        super().on_headers_complete()
        # The parser reports trailers as it does headers.
        self.headers = []
        if self.pipeline:
            self.flow.held = True
        else:
            self._current = self.cycle

    def _should_upgrade(self) -> bool:
        # uvicorn leaves such a request alone, and _upgrade() decides what becomes of it.
        return True

    def on_body(self, body: bytes) -> None:
        self._head_size = 0
        super().on_body(body)

    # Called at the end of a response.

    def on_response_complete(self) -> None:
        if self.pipeline:
            self._current = self.pipeline[-1][0]
            super().on_response_complete()
            if not self.pipeline:
                self._parse_unparsed()
            return
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if self.flow.read_paused:
            self.flow.resume_reading()
        if self._refusal is not None:
            self._send_refusal()
        else:
            self._close_after(self.timeout_keep_alive if self.cycle.scope is self.scope else HEAD_TIMEOUT)

    @property
    def _idle(self) -> bool:
        """Whether no request is being answered."""
        return self._current is None or self._current.response_complete

    @property
    def _in_head(self) -> bool:
        """Whether the head of a request has begun and not ended."""
        # uvicorn makes the scope at the beginning of the head, and the cycle at its end.
        cycle: RequestResponseCycle | None = self.cycle
        return self.scope is not (None if cycle is None else cycle.scope)

    def _close_after(self, seconds: float) -> None:
        """Close the connection after that time, unless a request has begun to be answered by then."""
        self._deadline = self.loop.time() + seconds
        # A timer for each request would take longer than all the rest here: one that runs out early starts anew.
        if self._timer is None or self._timer.when() > self._deadline:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self.loop.call_at(self._deadline, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        if self.loop.time() < self._deadline:
            self._timer = self.loop.call_at(self._deadline, self._on_timer)
        elif not self._idle:
            pass
        elif self._refusal is not None:
            self.transport.abort()
        elif self._in_head:
            self._refuse(HEAD_TIMED_OUT())
        else:
            self.transport.close()

    def _probe(self) -> None:
        """Send an interim response until the response begins. If the client has left, the second one fails."""
        if not (self.cycle.response_started or self.transport.is_closing()):
            self.transport.write(INTERIM)
            self.loop.call_later(PROBE_INTERVAL, self._probe)

    def _check_sending(self, before: int) -> None:
        now = unsent(self.transport)
        if now < before:
            self._check_sending_later(now)
        else:
            self.transport.abort()

    def _check_sending_later(self, before: int) -> None:
        if self._send_timer is not None:
            self._send_timer.cancel()
        self._send_timer = self.loop.call_later(self._send_timeout, self._check_sending, before)

    def _parse_unparsed(self) -> None:
        """Parse a piece of what was received, and the next one after other clients have been served.

        Nothing is parsed or read while requests are queued.
        """
        if self.transport.is_closing():
            return
        if self._unparsed:
            piece, self._unparsed = self._unparsed[:PIECE], self._unparsed[PIECE:]
            self._parse(piece)
        if self.transport.get_protocol() is not self:
            return
        cycle: RequestResponseCycle | None = self.cycle
        self.flow.held = bool(self.pipeline or self._unparsed)
        if self.flow.held:
            self.flow.pause_reading()
            if not self.pipeline:
                self.loop.call_soon(self._parse_unparsed)
        elif cycle is None or cycle.response_complete or len(cycle.body) <= HIGH_WATER_LIMIT:
            # Otherwise the application resumes it, when it takes what there is of the body.
            self.flow.resume_reading()

    def _parse(self, data: bytes | memoryview) -> None:
        self._head_size += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._upgrade(bytes(data[upgrade.args[0] :]))
        except httptools.HttpParserError:
            self._refuse(self._wrong_head or NOT_HTTP())
        else:
            # Not 0 if this was no body and ended no head.
            if self._head_size:
                self._check_progress()

    def _check_progress(self) -> None:
        """Refuse a head that is too large, and limit the time of one that has begun."""
        if self._head_size > MAX_HEAD:
            self._refuse(HEAD_TOO_LARGE())
        elif not self._head_timed and self._in_head and self._idle:
            self._head_timed = True
            self._close_after(HEAD_TIMEOUT)

    def _upgrade(self, rest: bytes) -> None:
        """Make a WebSocket of the connection if the request is a handshake, and ignore the upgrade otherwise."""
        path, _, query = self.url.partition(b"?")
        if path.decode("latin-1").removesuffix("/") in PATHS and self._idle:
            method, version = self.parser.get_method(), self.parser.get_http_version()
            handshake = read_handshake(method, version, list(self.scope["headers"]))
            if handshake is not None:
                target = {"path": path.decode(), "raw_path": path, "query_string": query}
                self._open_socket(handshake, {**self.scope, **target}, rest)
                return
        self._ignore_upgrade(rest)

    def _open_socket(self, handshake: Handshake, scope: dict[str, Any], rest: bytes) -> None:
        self.connections.discard(self)
        for timer in (self._timer, self._send_timer):
            if timer is not None:
                timer.cancel()
        unparsed, self._unparsed = bytes(self._unparsed), memoryview(b"")
        transport = self.transport.detach()
        WebSocketProtocol(handshake, self.app, scope, transport, self.server_state).begin(rest + unparsed)

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Parse the request again as one without `Upgrade`, and go on with the rest of what was received."""
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        if method == b"CONNECT":
            self._refuse(NOT_HTTP())
            return
        lines = [b"%b %b HTTP/%b" % (method, self.url, version)]
        lines += [b"%b: %b" % header for header in self.scope["headers"] if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self._parse(b"\r\n".join([*lines, b"", rest]))

    def _check_head(self) -> None:
        """Raise APIError if the request is one of those that RFC 9112 has a server refuse."""
        # What was received is at most one piece more or less than the head.
        if self._head_size > MAX_HEAD - PIECE:
            lines = [b"%b %b HTTP/1.1" % (self.parser.get_method(), self.url), b""]
            lines += [b"%b: %b" % header for header in self.headers]
            if sum(map(len, lines)) + 2 * len(lines) > MAX_HEAD:
                raise HEAD_TOO_LARGE()
        if len(self.headers) > MAX_HEADERS:
            raise TOO_MANY_HEADERS()
        host = None
        for name, value in self.headers:
            if name in CHECKED:
                if name == b"host":
                    if host is not None:
                        raise SEVERAL_HOSTS()
                    host = value
                elif value.lower() != b"chunked":
                    raise UNKNOWN_ENCODING()
        # The connections of all versions but 1.1 end with the response, unless a header says otherwise.
        if host is None or not self.parser.should_keep_alive():
            version = self.parser.get_http_version()
            if version not in ("1.0", "1.1"):
                raise UNKNOWN_VERSION()
            if host is None and version == "1.1":
                raise NO_HOST()
        if not self.url.startswith(b"/") and self.url != b"*":
            host = self._take_host_from_target()
        if host is not None and (len(host) > MAX_HOST or not is_host(host)):
            raise INVALID_HOST()

    def _take_host_from_target(self) -> bytes:
        """Make a path of a target that is a URL. Return its host, which replaces the `Host` header."""
        match = ABSOLUTE.fullmatch(self.url)
        if match is None:
            raise NOT_HTTP()
        host, path = match.groups()
        self.url = path if path.startswith(b"/") else b"/" + path
        # The same list: it is in the scope.
        self.headers[:] = [header for header in self.headers if header[0] != b"host"]
        self.headers.append((b"host", host))
        return host

    def _refuse(self, error: APIError) -> None:
        """Parse nothing any more. Answer what was complete, then send the error and close the connection."""
        self._unparsed = memoryview(b"")
        path: bytes = getattr(self, "url", b"")
        self._refusal = refusal(error, path.decode("latin-1"), self.server_state.default_headers)
        log.info("refused %s: %d %s", self.client[0] if self.client else "-", error.status, error.message)
        cycle: RequestResponseCycle | None = self.cycle
        # The parser may still have the method of the request before.
        method_known = path if self._in_head else cycle is not None and cycle.more_body
        if method_known and self.parser.get_method() == b"HEAD":
            # The response to HEAD has no body (RFC 9110, 9.3.2).
            self._refusal = self._refusal.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        if cycle is not None and cycle.more_body and not self._in_head:
            # The body of the last request is at fault, and perhaps the application waits for it.
            if self.pipeline:
                self.pipeline.popleft()
                return
            disconnect(cycle)
            self._current = None
            if cycle.response_started:
                self.transport.close()
                return
        if self._idle:
            self._send_refusal()

    def _send_refusal(self) -> None:
        assert self._refusal is not None
        self.transport.write(self._refusal)
        self.transport.write_eof()
        self._close_after(LINGER)
        self.flow.held = False
        self.flow.resume_reading()


@lru_cache(256)
def is_host(text: bytes) -> bool:
    """Return whether a Host header may have this value."""
    return HOST.fullmatch(text) is not None


def refusal(error: APIError, path: str, default_headers: list[tuple[bytes, bytes]]) -> bytes:
    """Return the response to a request that is refused."""
    body = encode(failure(path, error.message))
    headers = [*default_headers, (b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    if error.retry_after is not None:
        headers.append((b"retry-after", b"%d" % error.retry_after))
    headers.append((b"connection", b"close"))
    lines = [f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}".encode()]
    lines += [b"%b: %b" % header for header in headers]
    return b"\r\n".join([*lines, b"", body])


def disconnect(cycle: RequestResponseCycle) -> None:
    """Let the application see that the client has disconnected. What it sends is dropped."""
    cycle.disconnected = True
    cycle.message_event.set()


def unsent(transport: asyncio.Transport) -> int:
    """Return how many bytes the client has not received yet of what was sent to it."""
    with suppress(OSError):
        # What the operating system has not delivered. Without it, a slow client would seem to take nothing: a
        # large part of the system's buffer has to be free before the system accepts more.
        file = transport.get_extra_info("socket").fileno()
        (queued,) = struct.unpack("i", fcntl.ioctl(file, termios.TIOCOUTQ, bytes(4)))
        return transport.get_write_buffer_size() + int(queued)
    return transport.get_write_buffer_size()


@cache
def max_connections() -> int:
    """Return how many connections a worker may have, so that there are files left to open."""
    files, _ = getrlimit(RLIMIT_NOFILE)
    return MAX_CONNECTIONS if files == RLIM_INFINITY else max(64, min(MAX_CONNECTIONS, files - RESERVED_FILES))
