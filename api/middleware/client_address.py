"""The client's address and request id, as the trusted proxies in front of this service report them."""

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from config.types import Networks

CLOUDFLARE = b"cf-connecting-ip"
FORWARDED_FOR = b"x-forwarded-for"
REAL_IP = b"x-real-ip"
REQUEST_ID = b"x-request-id"
# Set by proxies; ignored and removed when anybody else sends them.
FORWARDING_HEADERS = frozenset({CLOUDFLARE, FORWARDED_FOR, REAL_IP, REQUEST_ID, b"forwarded", b"true-client-ip"})
MAX_ID_LENGTH = 64


class ClientAddress:
    """Middleware: puts the client's address into `scope["client"]`, in place of the proxy's.

    `scope["proxy_chain"]` lists the addresses from the client to the peer that connected, as far as they are
    trusted. `scope["request_id"]` is the request id of a trusted proxy, if it sent one.
    """

    def __init__(self, app: ASGIApp, proxies: Networks) -> None:
        """Forwarding headers are trusted if the peer is in `proxies`, and removed otherwise."""
        self.app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            peer = scope["client"][0] if scope["client"] else ""
            scope["proxy_chain"] = [peer]
            headers = forwarding_headers(scope)
            if headers and peer in self._proxies:
                scope["proxy_chain"] = proxy_chain(headers, peer, self._proxies)
                scope["client"] = (scope["proxy_chain"][0], 0)
                if is_request_id(headers.get(REQUEST_ID, "")):
                    scope["request_id"] = headers[REQUEST_ID]
            elif headers:
                scope["headers"] = [header for header in scope["headers"] if header[0] not in FORWARDING_HEADERS]
        await self.app(scope, receive, send)


def forwarding_headers(scope: Scope) -> dict[bytes, str]:
    """Return the forwarding headers of a request; the values of repeated ones are joined with commas."""
    headers: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        if name in FORWARDING_HEADERS:
            text = value.decode("latin-1")
            headers[name] = f"{headers[name]},{text}" if name in headers else text
    return headers


def proxy_chain(headers: Mapping[bytes, str], peer: str, proxies: Networks) -> list[str]:
    """Return the addresses from the client to `peer`, a trusted proxy.

    X-Forwarded-For is read from the right, up to the first address that is not a trusted proxy: the client's.
    Anything further left may have been written by the client.
    """
    hops = [peer]
    for text in reversed(headers.get(FORWARDED_FOR, "").split(",")):
        hop = parse_address(text)
        if hop is None:
            break
        hops.insert(0, hop)
        if hop not in proxies:
            break
    client = parse_address(headers.get(CLOUDFLARE, ""))
    if client is None and len(hops) == 1:
        client = parse_address(headers.get(REAL_IP, ""))
    return [client, *(hop for hop in hops if hop in proxies)] if client else hops


def is_request_id(text: str) -> bool:
    """Return whether `text` can be used as a request id, in the log too."""
    letters = text.replace("-", "").replace("_", "")
    return len(text) <= MAX_ID_LENGTH and letters.isascii() and letters.isalnum()


def parse_address(text: str) -> str | None:
    """Return the IP address in `text`, without its port or zone; None if there is none."""
    # A zone may be any text, and only has a meaning on the machine itself.
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
