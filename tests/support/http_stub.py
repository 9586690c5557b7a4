"""A real HTTP server that answers as it is told."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Asked(NamedTuple):
    """A request as it arrived; header names in lower case. `port` tells the connections of a client apart."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    port: int


class Answer(NamedTuple):
    """What is sent back; a header may come more than once."""

    status: int = 200
    body: bytes = b""
    headers: Sequence[tuple[str, str]] = ()


@contextmanager
def answering(answer: Callable[[Asked], Answer]) -> Iterator[int]:
    """The port of a server that gives these answers."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = {name.lower(): text for name, text in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            given = answer(Asked(self.command, self.path, headers, body, self.client_address[1]))
            self.send_response(given.status)
            for name, text in given.headers:
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(given.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(given.body)

        do_HEAD = do_POST = do_OPTIONS = do_GET

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
