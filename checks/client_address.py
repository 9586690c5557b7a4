"""Whether a client can choose the address that the service at a URL takes for its own."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from ipaddress import IPv4Address
from random import randrange
from typing import NamedTuple

from multidict import CIMultiDictProxy

from checks.findings import Finding, ok, warning
from config.settings import Settings
from config.types import Networks

# Headers in which proxies send the client's address.
USUAL = ("X-Forwarded-For", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP", "X-Client-IP", "Forwarded")
PATH = "/v1/get_player_count"
# Requests that are sent at once, so that a rate limit shows which of them count together.
BATCH = 10
# 198.18.0.0/15 is reserved for benchmarks (RFC 2544), so no client has an address in it.
RESERVED_FIRST = int(IPv4Address("198.18.0.0"))
RESERVED_SIZE = 1 << 17
UNKNOWN = "whether a client can choose its address was not found out"


class Result(NamedTuple):
    """A response, read to its end."""

    status: int
    headers: "CIMultiDictProxy[str]"
    body: bytes


# Sends a GET request with these headers to a path.
Get = Callable[[str, dict[str, str]], Awaitable[Result]]


async def run(get: Get, own: str, settings: Settings) -> list[Finding]:
    """Check what the service makes of forged headers. `own` is the address from which this machine connects."""
    findings = [await _metrics(get, settings)]
    if not settings.rate_limit:
        return [*findings, ok("browser.forged-address", f"{UNKNOWN}: there is no rate limit that would show it")]
    if await _most_used(get, [{}] * BATCH) is None and own not in Networks(settings.rate_limit_exempt):
        text = f"requests from {own} are not limited, as if they came from an exempt address, such as a proxy's"
        advice = (
            "name each proxy in TRUSTED_PROXIES, and let it send CLIENT_ADDRESS_HEADER; all is well if the public"
            " address of this machine is in RATE_LIMIT_EXEMPT"
        )
        findings.append(warning("browser.client-address", text, advice))
    believed = [name for name in _names(settings) if await _is_believed(get, name)]
    return [*findings, _forged(believed, own, settings)]


async def _metrics(get: Get, settings: Settings) -> Finding:
    """Check whether /metrics can be read, also by a client that claims to be the machine of the service."""
    forged = [_forge(name, "127.0.0.1") for name in _names(settings)]
    for headers in [{}, *forged]:
        result = await get("/metrics", headers)
        if b"apidot_" in result.body:
            how = "".join(f" with `{name}: {value}`" for name, value in headers.items())
            advice = "hide /metrics in the proxy, as deploy/nginx.conf does; Prometheus reads it without the proxy"
            return warning("browser.metrics", f"/metrics can be read from here{how}", advice)
    return ok("browser.metrics", "/metrics cannot be read from here")


async def _is_believed(get: Get, name: str) -> bool:
    """Return whether requests count for the address in this header."""

    async def each_alone() -> bool:
        """Return whether requests with different addresses have a rate limit each."""
        return await _most_used(get, [_forge(name, _address()) for _ in range(BATCH)]) == 1

    # If requests with the same address do not count together, the limit is so high that it shows nothing.
    return (
        await each_alone()
        and (await _most_used(get, [_forge(name, _address())] * BATCH) or 0) > 1
        and await each_alone()
    )


async def _most_used(get: Get, batch: list[dict[str, str]]) -> int | None:
    """Send a request with each of these headers, all at once. Return the largest use of a rate limit, in requests.

    None if no response has a rate limit.
    """
    results = await asyncio.gather(*(get(PATH, headers) for headers in batch))
    return max((used for result in results for used in _used(result)), default=None)


def _used(result: Result) -> Iterator[int]:
    try:
        yield int(result.headers["RateLimit-Limit"]) - int(result.headers["RateLimit-Remaining"])
    except (KeyError, ValueError):
        return


def _forged(believed: list[str], own: str, settings: Settings) -> Finding:
    names = ", ".join(_names(settings))
    if not believed:
        return ok("browser.forged-address", f"a client cannot choose its address with {names}")
    proxies = Networks(settings.trusted_proxies)
    if own in proxies and not proxies.too_large:
        text = f"{UNKNOWN}: this machine ({own}) is in TRUSTED_PROXIES. Another one can find out"
        return ok("browser.forged-address", text)
    text = f"a client can choose its address with {', '.join(believed)}, and so escape rate limits"
    advice = (
        "let the proxy set this header itself, as deploy/nginx.conf does, or name another one in"
        " CLIENT_ADDRESS_HEADER; name nothing but proxies in TRUSTED_PROXIES"
    )
    return warning("browser.forged-address", text, advice)


def _names(settings: Settings) -> list[str]:
    named = settings.client_address_header
    return [named, *(name for name in USUAL if name.lower() != named.lower())]


def _forge(name: str, address: str) -> dict[str, str]:
    return {name: f"for={address}" if name == "Forwarded" else address}


def _address() -> str:
    return str(IPv4Address(RESERVED_FIRST + randrange(RESERVED_SIZE)))
