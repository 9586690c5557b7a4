"""The client's address and request id, as the trusted proxies in front of this service report them."""

import logging
from collections.abc import Iterator, Sequence
from ipaddress import IPv6Address, ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from config.types import Networks

log = logging.getLogger("apidot")
Raw = tuple[bytes, bytes]

FORWARDED_FOR = b"x-forwarded-for"
REAL_IP = b"x-real-ip"
REQUEST_ID = b"x-request-id"
# Headers in which proxies send the client's address. Clients can send them too.
ADDRESS_HEADERS = frozenset(
    b"cf-connecting-ip cf-connecting-ipv6 cf-pseudo-ipv4 client-ip do-connecting-ip fastly-client-ip fly-client-ip"
    b" forwarded forwarded-for true-client-ip x-appengine-user-ip x-azure-clientip x-azure-socketip x-client-ip"
    b" x-cluster-client-ip x-envoy-external-address x-forwarded x-forwarded-for x-original-forwarded-for"
    b" x-originating-ip x-real-ip x-remote-addr x-remote-ip".split()
)
# What else proxies say about a request. The game server gets these headers if they are from a trusted proxy.
OTHER_HEADERS = frozenset({REQUEST_ID, b"x-forwarded-host", b"x-forwarded-port", b"x-forwarded-proto"})
LOOPBACK = Networks("127.0.0.0/8, ::1")
# Addresses that are read from one X-Forwarded-For.
MAX_HOPS = 32
MAX_ID_LENGTH = 64


class ClientAddress:
    """Middleware: puts the client's address into `scope["client"]`, in place of the proxy's.

    `scope["proxy_chain"]` lists the addresses from the client to the peer that connected, as far as they are
    trusted. `scope["client_known"]` is False if a trusted proxy passed the request on without a valid address of
    its client: the proxy then counts as the client, but is not exempt from anything. `scope["request_id"]` is the
    request id of a trusted proxy, if it sent one.

    `scope["headers"]` keeps no address but the client's, in `header`, and no other headers about forwarding unless
    a trusted proxy sent them.
    """

    def __init__(self, app: ASGIApp, proxies: Networks, header: str = "X-Forwarded-For") -> None:
        """`header` is the one in which `proxies` send the client's address. All others are ignored."""
        self.app = app
        self._proxies = proxies
        self._header = header.lower().encode()
        self._forwarding_headers = ADDRESS_HEADERS | OTHER_HEADERS | {self._header.replace(b"_", b"-")}
        self._warned = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            peer = scope["client"][0] if scope["client"] else ""
            scope["proxy_chain"] = [peer]
            scope["client_known"] = True
            names, headers = self._forwarding_headers, scope["headers"]
            # Game servers behind CGI or WSGI do not tell X_Real_IP from X-Real-IP.
            forwarding = [header for header in headers if header[0].replace(b"_", b"-") in names]
            if forwarding:
                scope["headers"] = [header for header in headers if header[0].replace(b"_", b"-") not in names]
                if peer in self._proxies:
                    self._trust(scope, peer, forwarding)
        await self.app(scope, receive, send)

    def _trust(self, scope: Scope, peer: str, forwarding: Sequence[Raw]) -> None:
        """Take the client's address and the request id from the headers of a trusted proxy."""
        scope["headers"] += [header for header in forwarding if header[0] in OTHER_HEADERS]
        ids = [value.decode("latin-1") for name, value in forwarding if name == REQUEST_ID]
        if len(ids) == 1 and is_request_id(ids[0]):
            scope["request_id"] = ids[0]
        if len(forwarding) == len(ids):
            return
        values = [value for name, value in forwarding if name == self._header]
        chain, known = proxy_chain(self._hops(values), peer, self._proxies)
        scope["proxy_chain"], scope["client"], scope["client_known"] = chain, (chain[0], 0), known
        if known:
            scope["headers"].append((self._header, chain[0].encode()))
        if len(chain) == 1 and not self._warned:
            self._warned = True
            log.warning(
                "the proxy %s sends no valid %s, so its clients count as one. It sends %s."
                " Set CLIENT_ADDRESS_HEADER to the header in which it sends the client's address",
                peer,
                self._header.decode(),
                ", ".join(sorted({name.decode("latin-1") for name, _ in forwarding})),
            )

    def _hops(self, values: Sequence[bytes]) -> Iterator[str | None]:
        """Yield the addresses in the header, the nearest one first; None for a text that is not an address."""
        if self._header == FORWARDED_FOR:
            # Whatever is further left than MAX_HOPS remains one text, which is not an address.
            texts = b",".join(values).decode("latin-1").rsplit(",", MAX_HOPS)
            yield from map(parse_address, reversed(texts))
        else:
            # Proxies send it once, with one address. Otherwise some of it was sent by the client.
            single = len(values) == 1 and b"," not in values[0]
            yield parse_address(values[0].decode("latin-1")) if single else None


def proxy_chain(hops: Iterator[str | None], peer: str, proxies: Networks) -> tuple[list[str], bool]:
    """Return the addresses from the client to `peer`, a trusted proxy, and whether the first one is a client's.

    `hops` are the addresses before `peer`, the nearest one first. They are read up to the first one that is not a
    trusted proxy: the client's. Anything further away may have been written by the client.
    """
    chain = [peer]
    for hop in hops:
        if hop is None:
            return chain[::-1], False
        chain.append(hop)
        if hop not in proxies:
            break
    # A loopback address that a proxy sends is the proxy's own, or was written by the client.
    return chain[::-1], chain[-1] not in LOOPBACK


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
