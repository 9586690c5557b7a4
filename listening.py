"""Where the service listens, and the HTTP server that does it."""

import errno
import socket
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import uvicorn

from api.protocol import Protocol
from domain.errors import CannotOpen
from domain.settings import EVERYWHERE, Settings

ROOT = Path(__file__).resolve().parent
# What --reload looks at: files that end so, but for those in these folders.
WATCHED: dict[str, Any] = {
    "reload_dirs": [str(ROOT)],
    "reload_includes": ["*.sql"],
    # uvicorn takes a folder that is not there for a pattern.
    "reload_excludes": [str(each) for each in map(ROOT.joinpath, (".venv", ".data", "tests")) if each.is_dir()],
}


def require_port(host: str, port: int) -> None:
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


def require_reload(workers: int) -> None:
    """Raises CannotOpen when what serves cannot be started again by itself."""
    if workers > 1:
        raise CannotOpen(f"--reload takes one worker, not {workers} (--workers, API_WORKERS)")
    if find_spec("watchfiles") is None:
        # Without it uvicorn would look at Python files alone.
        raise CannotOpen("--reload needs watchfiles, which `make test` installs: pip install watchfiles")
