"""Host names, addresses and ports, as people write them."""

import re
from collections.abc import Collection
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple

MAX_LENGTH = 253  # bytes of a host name; RFC 1035 §2.3.4
BRACKETS_OR_NAME = re.compile(r"(\[(?P<v6>[^\[\]]+)\]|(?P<name>[^\[\]:]+))(:(?P<port>[0-9]{1,5}))?")


class Host(NamedTuple):
    """A host name or an address, IPv6 without brackets, and the port if one was named."""

    name: str
    port: int | None


def parse_host(text: str, schemes: Collection[str] = ()) -> Host:
    """Parse `host`, `host:port`, `::1` or `[::1]:port`, which may follow one of `schemes` and ://.

    Names beyond ASCII are returned in their ASCII form. Raise ValueError for anything else.
    """
    scheme, separator, rest = text.partition("://")
    if separator:
        if scheme.lower() not in schemes:
            raise ValueError("a scheme that is not known here")
        text = rest.removesuffix("/")
    if text.count(":") > 1 and not text.startswith("["):
        return Host(str(IPv6Address(text)), None)
    match = BRACKETS_OR_NAME.fullmatch(text)
    if match is None:
        raise ValueError("not a host")
    name = str(IPv6Address(match["v6"])) if match["v6"] else _name(match["name"])
    port = int(match["port"]) if match["port"] else None
    if port is not None and not 1 <= port <= 65535:
        raise ValueError("not a port")
    return Host(name, port)


def is_host(name: str) -> bool:
    """Return whether `name` is a host name or an address, IPv6 without brackets."""
    try:
        ip_address(name)
    except ValueError:
        try:
            _name(name)
        except ValueError:
            return False
    return True


def socket_path(address: str) -> str | None:
    """Return the path in the address of a Unix socket, None for other addresses."""
    path = address.removeprefix("unix:").removeprefix("//")
    is_path = path.startswith("/") or (path.endswith(".sock") and "://" not in path)
    return path if path != address or is_path else None


def in_url(name: str) -> str:
    """Return the host as it is written in a URL: IPv6 in brackets."""
    return f"[{name}]" if ":" in name else name


def _name(text: str) -> str:
    # The operating system raises UnicodeError, not OSError, for a name that this cannot encode.
    name = text.encode("idna") if len(text) <= MAX_LENGTH else b""
    if not re.fullmatch(rb"[A-Za-z0-9_.-]{1,253}", name):
        raise ValueError("not a host name")
    return name.decode()
