"""The HTTP server: uvicorn, how it is configured, and the checks before it starts."""

import asyncio
import errno
import socket
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from config.settings import EVERYWHERE, Settings
from domain.errors import CannotOpen

ROOT = Path(__file__).resolve().parents[1]
# What --reload looks at: files that end so, but for those in these folders.
WATCHED: dict[str, Any] = {
    "reload_dirs": [str(ROOT)],
    "reload_includes": ["*.sql"],
    # uvicorn takes a folder that is not there for a pattern.
    "reload_excludes": [str(each) for each in map(ROOT.joinpath, (".venv", ".data", "tests")) if each.is_dir()],
}


def check_port_free(host: str, port: int) -> None:
    """Raises CannotOpen when nobody could listen there."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                tried.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            tried.bind(address)
    except OSError as error:
        hint = "; another --port or API_PORT may be free" if error.errno == errno.EADDRINUSE else ""
        raise CannotOpen(f"cannot listen on {url_of(host, port)}: {error.strerror}{hint}") from None


def url_of(host: str, port: int) -> str:
    """Where to reach, from this machine, who listens on `host`, which may mean everywhere."""
    host = EVERYWHERE.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def listen(settings: Settings, host: str, port: int, reload: bool) -> None:
    """Answer requests until a signal ends it."""
    uvicorn.run(
        "main:application",
        factory=True,
        host=host,
        port=port,
        workers=settings.api_workers,
        reload=reload,
        **(WATCHED if reload else {}),
        loop="uvloop",
        http=Protocol,
        log_level=settings.log_level,
        log_config=None,
        access_log=False,
        # Forwarding headers count only from configured proxies; uvicorn would believe every local one.
        proxy_headers=False,
        server_header=False,
        # nginx keeps idle connections for a minute; closing them first would race with its next request.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=10,
    )


def check_reload_possible(workers: int) -> None:
    """Raises CannotOpen when what serves cannot be started again by itself."""
    if workers > 1:
        raise CannotOpen(f"--reload takes one worker, not {workers} (--workers, API_WORKERS)")
    if find_spec("watchfiles") is None:
        # Without it uvicorn would look at Python files alone.
        raise CannotOpen("--reload needs watchfiles, which `make test` installs: pip install watchfiles")


_BODY = b'{"status":"This is not a valid HTTP request."}'
NOT_HTTP = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
)


class Protocol(HttpToolsProtocol):
    """Takes no more of an answer until the client has taken what there is.

    Otherwise each client that is slower than the disk costs twice the 64 KiB that uvicorn lets pile up.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Sets the limit on a new connection."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)

    def shutdown(self) -> None:
        """The server stops: what is in flight is still answered, and counted."""
        # uvicorn says that there is always one.
        if self.cycle is not None and not self.cycle.response_complete:  # type: ignore[redundant-expr]
            self.app_state["watch"].draining += 1
        super().shutdown()

    def send_400_response(self, msg: str) -> None:
        """Answers what is not HTTP; clients expect JSON here too."""
        self.transport.write(NOT_HTTP)
        self.transport.close()
