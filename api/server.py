"""The HTTP server: the configuration of uvicorn, and checks before it starts."""

import errno
import socket
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import uvicorn

from api.protocol import Protocol
from config.addresses import EVERYWHERE
from config.settings import Settings
from domain.errors import CannotOpen

ROOT = Path(__file__).resolve().parents[1]
RELOAD: dict[str, Any] = {
    "reload_dirs": [str(ROOT)],
    "reload_includes": ["*.sql"],
    # Existing folders only: uvicorn takes any other path for a pattern.
    "reload_excludes": [
        str(folder) for folder in map(ROOT.joinpath, (".venv", ".data", "tests")) if folder.is_dir()
    ],
}


def check_port_free(host: str, port: int) -> None:
    """Raise CannotOpen if the server cannot listen on this address."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind(address)
    except OSError as error:
        hint = "; another --port or API_PORT may be free" if error.errno == errno.EADDRINUSE else ""
        raise CannotOpen(f"cannot listen on {url_of(host, port)}: {error.strerror}{hint}") from None


def check_reload_possible(workers: int) -> None:
    """Raise CannotOpen if `serve --reload` cannot work."""
    if workers > 1:
        raise CannotOpen(f"--reload takes one worker, not {workers} (--workers, API_WORKERS)")
    if find_spec("watchfiles") is None:
        # Without it uvicorn would watch Python files only.
        raise CannotOpen("--reload needs watchfiles, which `make test` installs: pip install watchfiles")


def url_of(host: str, port: int) -> str:
    """Return the URL of a server that listens on `host`, as seen from this machine."""
    host = EVERYWHERE.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def listen(settings: Settings, host: str, port: int, reload: bool, descriptor: int | None) -> None:
    """Serve requests until a signal ends the process, on the socket with this descriptor if there is one."""
    uvicorn.run(
        "main:application",
        factory=True,
        host=host,
        port=port,
        fd=descriptor,
        workers=settings.api_workers,
        reload=reload,
        **(RELOAD if reload else {}),
        loop="uvloop",
        http=Protocol,
        # The protocol ignores the header Upgrade, so this is never asked for.
        ws="none",
        log_level=settings.log_level,
        log_config=None,
        access_log=False,
        # Middleware reads forwarding headers of the configured proxies; uvicorn would trust every local client.
        proxy_headers=False,
        server_header=False,
        # nginx keeps idle connections for 60 s; a shorter timeout here would race with its next request.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=10,
    )
