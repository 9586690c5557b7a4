"""The game server's address, in the forms in which settings have it."""

import re
from ipaddress import ip_address

# Wildcard addresses of a listening server -> the address of this machine at which to connect to it.
EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
SOCKET = "unix:"
# What Linux accepts, in bytes.
MAX_SOCKET_PATH = 107
ADDRESS = re.compile(
    r"((?P<scheme>https?)://)?(\[(?P<ipv6>[^\[\]]*)\]|(?P<name>[\w.-]*))(:(?P<port>[0-9]{1,5}))?/?", re.IGNORECASE
)


def socket_path(address: str) -> str | None:
    """Return the path in the address of a Unix socket, None for other addresses."""
    path = address.removeprefix(SOCKET).removeprefix("//")
    is_path = path.startswith("/") or (path.endswith(".sock") and "://" not in path)
    return path if path != address or is_path else None


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
    if _is_ipv6(address):
        address = f"[{address}]"
    parts = ADDRESS.fullmatch(address)
    own_port = int(parts["port"] or 0) if parts else 0
    if parts is None or own_port > 65535 or (parts["ipv6"] and not _is_ipv6(parts["ipv6"])):
        raise ValueError("a host name, an IP address or the path of a socket is accepted")
    if own_port and port and own_port != port:
        raise ValueError(f"it contains port {own_port}, but the port is set to {port}")
    port = port or own_port
    if not (port or parts["scheme"]):
        return None
    name = parts["ipv6"] or parts["name"]
    name = EVERYWHERE.get(name, name)
    host = f"[{name}]" if ":" in name else name
    return f"{(parts['scheme'] or 'http').lower()}://{host}" + (f":{port}" if port else "")


def _is_ipv6(text: str) -> bool:
    try:
        return ip_address(text).version == 6
    except ValueError:
        return False
