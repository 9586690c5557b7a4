"""Which forwarding headers are trusted, and which address is the client's."""

import pytest
from starlette.types import Receive, Scope, Send

from api.middleware.client_address import ClientAddress, parse_address
from config.types import Networks

PROXIES = Networks("127.0.0.0/8, ::1, 10.0.0.0/8")
NGINX = "127.0.0.1"


async def do_nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """An application without a response."""


def scope_behind(peer: str | None, *headers: tuple[str, str]) -> Scope:
    """Return the scope that the application behind ClientAddress gets."""
    scope: Scope = {
        "type": "http",
        "client": None if peer is None else (peer, 4000),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
    }
    running = ClientAddress(do_nothing, PROXIES)(scope, None, None)  # type: ignore[arg-type]
    with pytest.raises(StopIteration):
        running.__await__().__next__()
    return scope


FOR, REAL, CF = "X-Forwarded-For", "X-Real-IP", "CF-Connecting-IP"


@pytest.mark.parametrize(
    ("peer", "headers", "chain"),
    [
        # Only a trusted proxy is believed.
        ("203.0.113.5", [], ["203.0.113.5"]),
        ("203.0.113.5", [(FOR, "6.6.6.6")], ["203.0.113.5"]),
        ("203.0.113.5", [(REAL, "6.6.6.6"), (CF, "6.6.6.6")], ["203.0.113.5"]),
        ("no address", [(FOR, "6.6.6.6")], ["no address"]),
        # One proxy, with addresses that the client may have written before it.
        (NGINX, [], [NGINX]),
        (NGINX, [(FOR, "203.0.113.9")], ["203.0.113.9", NGINX]),
        (NGINX, [(FOR, "6.6.6.6, 203.0.113.9")], ["203.0.113.9", NGINX]),
        (NGINX, [(FOR, "6.6.6.6"), (FOR, "203.0.113.9")], ["203.0.113.9", NGINX]),
        (NGINX, [(FOR, "unknown")], [NGINX]),
        (NGINX, [(FOR, "")], [NGINX]),
        # Proxies in front of proxies.
        (NGINX, [(FOR, "6.6.6.6, 203.0.113.9, 10.1.1.1")], ["203.0.113.9", "10.1.1.1", NGINX]),
        (NGINX, [(FOR, "10.1.1.1, 10.1.1.2")], ["10.1.1.1", "10.1.1.2", NGINX]),
        (NGINX, [(FOR, "bad, 10.1.1.2")], ["10.1.1.2", NGINX]),
        # X-Real-IP counts only without X-Forwarded-For.
        (NGINX, [(REAL, "203.0.113.9")], ["203.0.113.9", NGINX]),
        (NGINX, [(REAL, "6.6.6.6"), (FOR, "203.0.113.9")], ["203.0.113.9", NGINX]),
        (NGINX, [(REAL, "junk")], [NGINX]),
        # CF-Connecting-IP comes first; Cloudflare's own address is no trusted proxy.
        (NGINX, [(CF, "203.0.113.9"), (FOR, "203.0.113.9, 172.64.0.1")], ["203.0.113.9", NGINX]),
        (NGINX, [(CF, "2001:db8::7")], ["2001:db8::7", NGINX]),
        (NGINX, [(CF, "junk"), (FOR, "203.0.113.9")], ["203.0.113.9", NGINX]),
        # Notations of addresses.
        ("::1", [(FOR, "[2001:db8::7]:1234")], ["2001:db8::7", "::1"]),
        (NGINX, [(FOR, "203.0.113.9:1234")], ["203.0.113.9", NGINX]),
        (NGINX, [(FOR, "::ffff:203.0.113.9")], ["203.0.113.9", NGINX]),
        (NGINX, [(FOR, 'fe80::7%a b="')], ["fe80::7", NGINX]),
        (None, [(FOR, "6.6.6.6")], [""]),
    ],
)
def test_proxy_chain(peer: str | None, headers: list[tuple[str, str]], chain: list[str]) -> None:
    scope = scope_behind(peer, *headers)
    assert scope["proxy_chain"] == chain
    assert (scope["client"] or ("",))[0] == chain[0]


def test_forwarding_headers_of_untrusted_peers_are_removed() -> None:
    assert scope_behind("203.0.113.5", (FOR, "6.6.6.6"), ("Accept", "*/*"), (CF, "6.6.6.6"))["headers"] == [
        (b"accept", b"*/*")
    ]


@pytest.mark.parametrize("text", ["", "x", "1.2.3", "1.2.3.4.5", "::g", "[", "]", ":", "1.2.3.4:5:6"])
def test_text_that_is_no_address(text: str) -> None:
    assert parse_address(text) is None
