"""The HTTP server: the configuration of uvicorn, and checks before it starts."""

import errno
import socket
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn

from api.protocol import Protocol
from config.addresses import EVERYWHERE
from config.hosts import in_url
from config.settings import Settings
from domain.errors import CannotOpen

# All addresses of IPv6, and of IPv4 where the system allows a socket to have both.
ALL = "::"
DEFAULT_PORTS = {"http": 80, "https": 443}
ROOT = Path(__file__).resolve().parents[1]
RELOAD: dict[str, Any] = {
    "reload_dirs": [str(ROOT)],
    "reload_includes": ["*.sql"],
    # Existing folders only: uvicorn takes any other path for a pattern.
    "reload_excludes": [
        str(folder) for folder in map(ROOT.joinpath, (".venv", ".venv-pp", ".data", "tests")) if folder.is_dir()
    ],
}


def check_not_game_server(settings: Settings, host: str, port: int) -> None:
    """Raise CannotOpen if the game server's address is the one on which this service will listen."""
    if leads_here(settings.game_server, host, port):
        raise CannotOpen(
            f"the game server's address, {settings.game_server}, is where this service would listen:"
            f" API_PORT ({port}) must differ from the game server's APP_PORT"
        )


def leads_here(url: str | None, host: str, port: int) -> bool:
    """Return whether the URL is that of a server which listens on this host and port of this machine."""
    parts = urlsplit(url or "")
    if not parts.hostname or (parts.port or DEFAULT_PORTS[parts.scheme]) != port:
        return False
    ours, theirs = _addresses(host), _addresses(parts.hostname)
    # A wildcard stands for all addresses of this machine, :: for those of IPv4 too.
    covered = [address for address in theirs if "::" in ours or ("0.0.0.0" in ours and ":" not in address)]
    return bool(ours & theirs) or any(_is_of_this_machine(address) for address in covered)


def _addresses(host: str) -> set[str]:
    try:
        return {str(address[0]) for *_, address in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except OSError:
        return set()


def _is_of_this_machine(address: str) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def check_port_free(host: str, port: int) -> None:
    """Raise CannotOpen if the server cannot listen on this address."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, host != ALL)
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
    return f"http://{in_url(EVERYWHERE.get(host, host))}:{port}"


def listen(settings: Settings, host: str, port: int, reload: bool, descriptor: int | None) -> None:
    """Serve requests until a signal ends the process, on the socket with this descriptor if there is one."""
    # A single worker opens the socket through asyncio, which takes :: for IPv6 alone, and "" for all addresses.
    host = "" if host == ALL and settings.api_workers == 1 and not reload else host
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
        # The protocol opens WebSockets itself.
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
