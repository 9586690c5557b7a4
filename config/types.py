"""What settings are made of: texts that must not be seen, networks, and how a setting is described."""

from ipaddress import IPv4Network, IPv6Network
from typing import Any

from msgspec import Meta

Network = IPv4Network | IPv6Network


class Secret(str):
    """A text that must not be seen: its repr is eight stars."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'********'"


def described(text: str, **limits: Any) -> Meta:
    """The help line of a setting, and its limits."""
    return Meta(description=text, **limits)


def comma_separated(text: str) -> list[str]:
    """What a text lists, commas between."""
    return [each.strip() for each in text.split(",") if each.strip()]
