"""Which forwarding headers are trusted, and which address is the client's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from api.middleware.client_address import ADDRESS_HEADERS, MAX_HOPS, ClientAddress, parse_address
from config.types import Networks

PROXIES = Networks("127.0.0.0/8, ::1, 10.0.0.0/8")
NGINX = "127.0.0.1"
FOR, REAL, CF = "X-Forwarded-For", "X-Real-IP", "CF-Connecting-IP"


async def do_nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """An application without a response."""


def scope_behind(peer: str | None, *headers: tuple[str, str], named: str = FOR) -> Scope:
    """Return the scope that the application behind ClientAddress gets if `named` is the believed header."""
    scope: Scope = {
        "type": "http",
        "client": None if peer is None else (peer, 4000),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
    }
    run(ClientAddress(do_nothing, PROXIES, named), scope)
    return scope


def run(middleware: ClientAddress, scope: Scope) -> None:
    with pytest.raises(StopIteration):
        middleware(scope, None, None).__await__().__next__()  # type: ignore[arg-type]


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
        # Other headers count only if the setting names them.
        (NGINX, [(REAL, "203.0.113.9")], [NGINX]),
        (NGINX, [(REAL, "6.6.6.6"), (FOR, "203.0.113.9")], ["203.0.113.9", NGINX]),
        (NGINX, [(CF, "6.6.6.6"), (FOR, "203.0.113.9, 172.64.0.1")], ["172.64.0.1", NGINX]),
        (NGINX, [("X_Forwarded_For", "6.6.6.6")], [NGINX]),
        (NGINX, [("Forwarded", "for=6.6.6.6")], [NGINX]),
        # Empty items, and unknown clients.
        (NGINX, [(FOR, "6.6.6.6, ")], [NGINX]),
        (NGINX, [(FOR, "6.6.6.6,, 10.1.1.1")], ["10.1.1.1", NGINX]),
        (NGINX, [(FOR, "6.6.6.6, unknown, 10.1.1.1")], ["10.1.1.1", NGINX]),
        (NGINX, [(FOR, "6.6.6.6, unix:")], [NGINX]),
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


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        ([(CF, "203.0.113.9")], "203.0.113.9"),
        ([("cf-connecting-IP", "203.0.113.9")], "203.0.113.9"),
        ([(CF, " [2001:db8::7]:4000 ")], "2001:db8::7"),
        ([(CF, "::ffff:203.0.113.9"), (FOR, "6.6.6.6"), (REAL, "6.6.6.6")], "203.0.113.9"),
        ([(CF, "10.1.1.1")], "10.1.1.1"),
        # A client sent one of several addresses.
        ([(CF, "203.0.113.9"), (CF, "203.0.113.9")], None),
        ([(CF, "6.6.6.6, 203.0.113.9")], None),
        ([(CF, "[2001:db8::7],203.0.113.9")], None),
        ([(CF, "fe80::7%,203.0.113.9")], None),
        ([(CF, "")], None),
        ([(CF, "unknown")], None),
        ([(CF, "127.0.0.1")], None),
        ([("CF_Connecting_IP", "6.6.6.6")], None),
        ([(FOR, "203.0.113.9")], None),
    ],
)
def test_a_header_with_a_single_address(headers: list[tuple[str, str]], client: str | None) -> None:
    scope = scope_behind(NGINX, *headers, named=CF)
    assert scope["client_known"] is (client is not None)
    assert scope["client"][0] == (client or NGINX)
    # The game server is told what this service knows, in the header that it knew before too.
    assert scope["headers"] == ([(b"cf-connecting-ip", client.encode())] if client else [])
    assert scope_behind("203.0.113.5", *headers, named=CF)["client"][0] == "203.0.113.5"


@pytest.mark.parametrize(
    ("headers", "known"),
    [
        ([], True),
        ([("X-Request-ID", "a")], True),
        ([(FOR, "203.0.113.9")], True),
        ([(FOR, "10.1.1.1")], True),
        ([(FOR, "203.0.113.9"), (CF, "127.0.0.1")], True),
        # A proxy that does not send the header, or passes on what its client sent.
        ([(REAL, "203.0.113.9")], False),
        ([(CF, "127.0.0.1")], False),
        ([("X-Forwarded-Proto", "https")], False),
        ([("X_Forwarded_For", "203.0.113.9")], False),
        ([(FOR, "")], False),
        ([(FOR, "unknown, 10.1.1.1")], False),
        ([(FOR, "127.0.0.1")], False),
        ([(FOR, "::1")], False),
        ([(FOR, "::ffff:127.0.0.1")], False),
        ([(FOR, "127.0.0.9, 10.1.1.1")], False),
    ],
)
def test_the_client_is_known_if_it_connects_itself_or_a_proxy_names_it(
    headers: list[tuple[str, str]], known: bool
) -> None:
    for peer in (NGINX, "::ffff:127.0.0.1", "10.0.0.7"):
        assert scope_behind(peer, *headers)["client_known"] is known
    # Nobody else can hide its own address.
    assert scope_behind("203.0.113.5", *headers)["client_known"]


def test_only_so_many_addresses_are_read() -> None:
    scope = scope_behind(NGINX, (FOR, "203.0.113.9" + ", 10.1.1.1" * 1000))
    assert scope["proxy_chain"] == ["10.1.1.1"] * MAX_HOPS + [NGINX]
    assert not scope["client_known"]
    assert scope_behind(NGINX, (FOR, "6.6.6.6, " * 1000 + "203.0.113.9"))["client"][0] == "203.0.113.9"


addresses = st.ip_addresses().map(str)
texts = st.one_of(addresses, st.text(st.characters(max_codepoint=255), max_size=30), st.just(NGINX))
outside = st.ip_addresses(network="203.0.113.0/24").map(str)


@given(st.lists(texts, max_size=40), outside)
def test_a_client_cannot_change_what_a_proxy_appends(sent: list[str], address: str) -> None:
    scope = scope_behind(NGINX, (FOR, ",".join([*sent, address])))
    assert (scope["client"][0], scope["client_known"]) == (address, True)
    assert scope["proxy_chain"] == [address, NGINX]


@given(
    st.lists(st.tuples(st.sampled_from([*sorted(ADDRESS_HEADERS), b"x_real_ip"]).map(bytes.decode), texts)),
    st.sampled_from([FOR, REAL, CF]),
)
def test_no_header_of_an_untrusted_client_counts(headers: list[tuple[str, str]], named: str) -> None:
    scope = scope_behind("203.0.113.5", *headers, ("Accept", "*/*"), named=named)
    assert (scope["client"][0], scope["proxy_chain"]) == ("203.0.113.5", ["203.0.113.5"])
    assert scope["headers"] == [(b"accept", b"*/*")]


@given(
    st.lists(st.tuples(st.sampled_from(sorted(ADDRESS_HEADERS - {b"x-forwarded-for"})).map(bytes.decode), texts))
)
def test_no_other_header_of_a_trusted_proxy_counts(headers: list[tuple[str, str]]) -> None:
    scope = scope_behind(NGINX, *headers, (FOR, "203.0.113.9"), ("X-Forwarded-Proto", "https"))
    assert scope["client"][0] == "203.0.113.9"
    assert scope["headers"] == [(b"x-forwarded-proto", b"https"), (b"x-forwarded-for", b"203.0.113.9")]


def test_a_proxy_without_the_header_is_named_in_the_log_once(caplog: pytest.LogCaptureFixture) -> None:
    middleware = ClientAddress(do_nothing, PROXIES, CF)
    for _ in range(3):
        scope: Scope = {"type": "http", "client": (NGINX, 1), "headers": [(b"x-real-ip", b"203.0.113.9")]}
        run(middleware, scope)
    (line,) = caplog.messages
    assert line.startswith("the proxy 127.0.0.1 sends no valid cf-connecting-ip")
    assert "It sends x-real-ip" in line


@pytest.mark.parametrize("text", ["", "x", "1.2.3", "1.2.3.4.5", "::g", "[", "]", ":", "1.2.3.4:5:6"])
def test_text_that_is_no_address(text: str) -> None:
    assert parse_address(text) is None
