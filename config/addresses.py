"""The game server's address, in the forms in which settings have it."""

import re

from config.hosts import in_url, parse_host, socket_path

# Wildcard addresses of a listening server -> the address of this machine at which to connect to it.
EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
SOCKET = "unix:"
# What Linux accepts, in bytes.
MAX_SOCKET_PATH = 107


def url_of(address: str, port: int) -> str | None:
    """Return the URL of a server that listens on `address` and `port`: http://, or unix: and the path of a socket.

    The port may also be in the address, 0 means that it is; https:// may precede the address. Return None without
    a port and a scheme. Raise ValueError, with a sentence about the address.
    """
    path = socket_path(address)
    if path is not None:
        if not 0 < len(path.encode()) <= MAX_SOCKET_PATH or "\0" in path:
            raise ValueError(f"the path of a socket has 1 to {MAX_SOCKET_PATH} bytes")
        return SOCKET + path
    if not address or re.fullmatch(r":[0-9]+", address):
        address = f"0.0.0.0{address}"
    try:
        host = parse_host(address, ("http", "https"))
    except ValueError:
        raise ValueError("expected a host name, an IP address or the path of a socket") from None
    if host.port and port and host.port != port:
        raise ValueError(f"it contains port {host.port}, but the port is set to {port}")
    port = port or host.port or 0
    scheme, separator, _ = address.partition("://")
    if not (port or separator):
        return None
    name = in_url(EVERYWHERE.get(host.name, host.name))
    return f"{scheme.lower() if separator else 'http'}://{name}" + (f":{port}" if port else "")
