"""Who is believed about the client's address."""

import pytest
from starlette.types import Receive, Scope, Send

from api.middleware.client_address import ClientAddress, read
from config.types import Networks

PROXIES = Networks("127.0.0.0/8, ::1, 10.0.0.0/8")
NGINX = "127.0.0.1"


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers nothing."""


def told(peer: str | None, *headers: tuple[str, str]) -> Scope:
    """The scope as the application behind ClientAddress sees it."""
    scope: Scope = {
        "type": "http",
        "client": None if peer is None else (peer, 4000),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
    }
    running = ClientAddress(nothing, PROXIES)(scope, None, None)  # type: ignore[arg-type]
    with pytest.raises(StopIteration):
        running.__await__().__next__()
    return scope


FOR, REAL, CF = "X-Forwarded-For", "X-Real-IP", "CF-Connecting-IP"


@pytest.mark.parametrize(
    ("peer", "headers", "way"),
    [
        # Nobody's word but a proxy's counts.
        ("203.0.113.5", [], ["203.0.113.5"]),
        ("203.0.113.5", [(FOR, "6.6.6.6")], ["203.0.113.5"]),
        ("203.0.113.5", [(REAL, "6.6.6.6"), (CF, "6.6.6.6")], ["203.0.113.5"]),
        ("no address", [(FOR, "6.6.6.6")], ["no address"]),
        # One proxy, and what the client wrote before it.
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
        # X-Real-IP where there is nothing better.
        (NGINX, [(REAL, "203.0.113.9")], ["203.0.113.9", NGINX]),
        (NGINX, [(REAL, "6.6.6.6"), (FOR, "203.0.113.9")], ["203.0.113.9", NGINX]),
        (NGINX, [(REAL, "junk")], [NGINX]),
        # Cloudflare's word first; its own address is on the way.
        (NGINX, [(CF, "203.0.113.9"), (FOR, "203.0.113.9, 172.64.0.1")], ["203.0.113.9", NGINX]),
        (NGINX, [(CF, "2001:db8::7")], ["2001:db8::7", NGINX]),
        (NGINX, [(CF, "junk"), (FOR, "203.0.113.9")], ["203.0.113.9", NGINX]),
        # Forms of an address.
        ("::1", [(FOR, "[2001:db8::7]:1234")], ["2001:db8::7", "::1"]),
        (NGINX, [(FOR, "203.0.113.9:1234")], ["203.0.113.9", NGINX]),
        (NGINX, [(FOR, "::ffff:203.0.113.9")], ["203.0.113.9", NGINX]),
        (NGINX, [(FOR, 'fe80::7%a b="')], ["fe80::7", NGINX]),
        (None, [(FOR, "6.6.6.6")], [""]),
    ],
)
def test_way(peer: str | None, headers: list[tuple[str, str]], way: list[str]) -> None:
    scope = told(peer, *headers)
    assert scope["proxy_chain"] == way
    assert (scope["client"] or ("",))[0] == way[0]


def test_headers_of_others_are_taken_out() -> None:
    assert told("203.0.113.5", (FOR, "6.6.6.6"), ("Accept", "*/*"), (CF, "6.6.6.6"))["headers"] == [
        (b"accept", b"*/*")
    ]


@pytest.mark.parametrize("text", ["", "x", "1.2.3", "1.2.3.4.5", "::g", "[", "]", ":", "1.2.3.4:5:6"])
def test_no_address(text: str) -> None:
    assert read(text) is None
