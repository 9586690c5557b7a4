"""The types of settings: secret text, sets of IP networks, and the field of a setting."""

from dataclasses import field
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Literal

# Encryption of the connections to the database. "preferred": if the server offers it.
Encryption = Literal["off", "preferred", "required", "verify"]

# IP version -> the length of the prefix of the largest network for private use: 10.0.0.0/8 and fc00::/7.
OWN_PREFIX = {4: 8, 6: 7}


class Secret(str):
    """A text that must not appear in logs: its repr is eight asterisks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'********'"


class Networks:
    """A set of IP networks. `address in networks` takes the text of an address; other text is in no network.

    ::ffff:10.0.0.1, an IPv4 address that came through an IPv6 socket, is in the networks of 10.0.0.1 too.
    """

    def __init__(self, text: str) -> None:
        """Parse addresses and networks that are separated by commas. Raise ValueError."""
        self._networks = [ip_network(network) for network in comma_separated(text)]
        # Requests come from few addresses.
        self._contains = lru_cache(4096)(self._look_up)

    @property
    def too_large(self) -> list[str]:
        """The networks that are larger than any private network, and so contain public addresses of others."""
        return [str(network) for network in self._networks if network.prefixlen < OWN_PREFIX[network.version]]

    def __contains__(self, address: str) -> bool:
        return self._contains(address)

    def _look_up(self, address: str) -> bool:
        try:
            ip = ip_address(address)
        except ValueError:
            return False
        mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
        return any(ip in network or (mapped is not None and mapped in network) for network in self._networks)


def setting(default: Any, description: str, *, heading: str = "", **limits: float) -> Any:
    """Return the field of a setting. `limits` are ge, gt and le, as msgspec.Meta takes them.

    In the documentation, `heading` stands above this setting and those that follow it.
    """
    return field(default=default, metadata={"description": description, "heading": heading, "limits": limits})


def comma_separated(text: str) -> list[str]:
    """Split `text` at its commas. Blanks around the items and empty items are dropped."""
    return [item.strip() for item in text.split(",") if item.strip()]
