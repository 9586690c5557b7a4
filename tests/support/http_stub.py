"""A real HTTP server whose responses a test chooses."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Asked(NamedTuple):
    """A received request, with header names in lower case. `port` is the client's, one for each connection."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    port: int


class Answer(NamedTuple):
    """A response; a header may occur more than once."""

    status: int = 200
    body: bytes = b""
    headers: Sequence[tuple[str, str]] = ()


@contextmanager
def answering(answer: Callable[[Asked], Answer]) -> Iterator[int]:
    """Run a server that sends what `answer` returns for a request. Yield its port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = {name.lower(): text for name, text in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            response = answer(Asked(self.command, self.path, headers, body, self.client_address[1]))
            self.send_response(response.status)
            for name, text in response.headers:
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(response.body)

        do_HEAD = do_POST = do_OPTIONS = do_GET

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

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
