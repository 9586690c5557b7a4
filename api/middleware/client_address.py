"""Whose request it is: the client's address, which proxies in front of this service tell."""

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from config.types import Networks

CLOUDFLARE = b"cf-connecting-ip"
FORWARDED_FOR = b"x-forwarded-for"
REAL_IP = b"x-real-ip"
REQUEST_ID = b"x-request-id"
# What tells an address, or what the proxy calls the request; from anybody but a proxy it tells nothing.
FORWARDING_HEADERS = frozenset({CLOUDFLARE, FORWARDED_FOR, REAL_IP, REQUEST_ID, b"forwarded", b"true-client-ip"})
LONGEST_ID = 64


class ClientAddress:
    """Puts the client's address into the scope, in place of that of the proxy that connected.

    Headers that tell one count only from `proxies`, and are taken out when they come from others.
    `scope["request_id"]` is how the proxy calls the request, where it says so.
    `scope["proxy_chain"]` lists the addresses from the client to whoever connected, as far as they are believed.
    """

    def __init__(self, app: ASGIApp, proxies: Networks) -> None:
        self.app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            peer = scope["client"][0] if scope["client"] else ""
            scope["proxy_chain"] = [peer]
            told: dict[bytes, str] = {}
            for name, value in scope["headers"]:
                if name in FORWARDING_HEADERS:
                    told[name] = (
                        f"{told[name]},{value.decode('latin-1')}" if name in told else value.decode("latin-1")
                    )
            if told and peer in self._proxies:
                # In place, so that the server's own access log shows it too.
                scope["proxy_chain"] = proxy_chain(told, peer, self._proxies)
                scope["client"] = (scope["proxy_chain"][0], 0)
                if is_id(told.get(REQUEST_ID, "")):
                    scope["request_id"] = told[REQUEST_ID]
            elif told:
                scope["headers"] = [header for header in scope["headers"] if header[0] not in FORWARDING_HEADERS]
        await self.app(scope, receive, send)


def proxy_chain(told: Mapping[bytes, str], peer: str, proxies: Networks) -> list[str]:
    """The addresses from the client to `peer`, which is believed; what lies before the client is not."""
    hops = [peer]
    for text in reversed(told.get(FORWARDED_FOR, "").split(",")):
        hop = read(text)
        if hop is None:
            break
        hops.insert(0, hop)
        if hop not in proxies:
            break
    client = read(told.get(CLOUDFLARE, "")) or (read(told.get(REAL_IP, "")) if len(hops) == 1 else None)
    return [client, *(hop for hop in hops if hop in proxies)] if client else hops


def is_id(text: str) -> bool:
    """Whether `text` can name a request, in a log too."""
    letters = text.replace("-", "").replace("_", "")
    return len(text) <= LONGEST_ID and letters.isascii() and letters.isalnum()


def read(text: str) -> str | None:
    """The address in `text`, perhaps with a port or a zone; None when there is none."""
    # A zone may be any text, and means something to one machine alone.
    text = text.strip().partition("%")[0]
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
