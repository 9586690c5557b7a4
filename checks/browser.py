"""What a browser sees at the public address: CORS, compression, HTTP version, certificate."""

import asyncio
import ssl
from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp

from api.websocket import PATHS
from checks import client_address, tls
from checks.client_address import Result
from checks.findings import Finding, error, ok, warning
from config.settings import Settings

ALLOW_ORIGIN = "Access-Control-Allow-Origin"
ANY_ORIGIN = "https://anywhere.example"
# Paths whose response is a success, an error, and long enough to be compressed.
SUCCESS = "/v1/get_player_count"
ERROR = "/v1/get_player_info?scope=all&id=2147483647"
LONG = "/v1/get_leaderboard"
COMPRESSED_FROM = 1024  # bytes
CLOSING = 0.25  # seconds for connections to be closed
REMOVE_HEADER = (
    "take `add_header Access-Control-Allow-Origin` out of nginx's configuration, or set CORS_ORIGINS to nothing"
)


async def run(url: str, settings: Settings) -> list[Finding]:
    """Check the service at `url` with requests like those of a script from the first of its CORS origins."""
    parts = urlsplit(url)
    origin = next((origin for origin in settings.origins if origin != "*"), ANY_ORIGIN)
    headers = {"Origin": origin, "Accept-Encoding": "gzip"}
    findings: list[Finding] = []
    try:
        context, findings = await _connect(parts.scheme, parts.hostname or "", parts.port)
        connector = aiohttp.TCPConnector(ssl=context)
        timeout = aiohttp.ClientTimeout(total=10, sock_connect=5)
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, headers=headers, auto_decompress=False
        ) as session:
            base = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
            success = await _request(session, "GET", base + SUCCESS)
            if success.status != 200:
                return [*findings, _bad_status(success)]
            failure = await _request(session, "GET", base + ERROR)
            extra = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
            preflight = await _request(session, "OPTIONS", base + SUCCESS, extra)
            long = await _request(session, "GET", base + LONG)
            own = await _own_address(parts.hostname or "", parts.port or {"http": 80, "https": 443}[parts.scheme])
            addresses = await _client_address(session, base, own, settings)
            sockets = await _websocket(session, base)
        # aiohttp waits for all its connections to be closed but for those of WebSockets over TLS.
        await asyncio.sleep(CLOSING if parts.scheme == "https" else 0)
    except (OSError, aiohttp.ClientError) as reason:
        text = f"{parts.hostname} cannot be reached: {str(reason) or 'no answer in time'}"
        return [*findings, error("browser.away", text, "look at DNS, the firewall and nginx's error log")]
    cors = _cors(success, failure, preflight, origin)
    return [*findings, *_server(success), *cors, _compression(long), *sockets, *addresses]


async def _connect(scheme: str, host: str, port: int | None) -> tuple[ssl.SSLContext | bool, list[Finding]]:
    if scheme == "https":
        return await tls.handshake(host, port or 443)
    text = "plain HTTP: pages that came over HTTPS cannot send requests here"
    return True, [warning("browser.no-tls", text, "check the https:// address, or get a certificate")]


async def _request(
    session: aiohttp.ClientSession, method: str, url: str, headers: dict[str, str] | None = None
) -> Result:
    async with session.request(method, url, headers=headers, allow_redirects=False) as response:
        return Result(response.status, response.headers, await response.read())


async def _client_address(
    session: aiohttp.ClientSession, base: str, own: str, settings: Settings
) -> list[Finding]:
    try:
        return await client_address.run(
            lambda path, headers: _request(session, "GET", base + path, headers), own, settings
        )
    except (OSError, aiohttp.ClientError) as reason:
        # Some firewalls drop requests with forged headers.
        text = f"{client_address.UNKNOWN}: {str(reason) or 'no answer in time'}"
        return [warning("browser.forged-address", text, "try again, or look at nginx's error log")]


async def _websocket(session: aiohttp.ClientSession, base: str) -> list[Finding]:
    """Check whether WebSockets get through. One that is refused for another reason says nothing about proxies."""
    try:
        async with session.ws_connect(base + PATHS[0]):
            return [ok("browser.websocket", "WebSockets get through")]
    except aiohttp.WSServerHandshakeError as refused:
        if refused.status != HTTPStatus.UPGRADE_REQUIRED:
            return []
    text = "WebSockets do not get through: a proxy removes the header Upgrade"
    return [warning("browser.websocket", text, "copy both blocks `map` and the headers of deploy/nginx.conf")]


async def _own_address(host: str, port: int) -> str:
    """Return the address from which this machine connects. Raise OSError."""
    async with asyncio.timeout(tls.CONNECT_TIMEOUT):
        _, writer = await asyncio.open_connection(host, port)
    writer.transport.abort()
    address: str = writer.get_extra_info("sockname")[0]
    return address


def _bad_status(result: Result) -> Finding:
    text = f"{SUCCESS} is answered with status {result.status}"
    if 300 <= result.status < 400:
        location = result.headers.get("Location")
        return error("browser.status", f"{text}, to {location}", "check the address it leads to")
    return error("browser.status", text, "look at nginx's error log and this service's log")


def _server(success: Result) -> Iterator[Finding]:
    """Tell this service from the game server, by the headers that each of them sends."""
    if "X-Request-ID" in success.headers:
        yield ok("browser.server", f"{SUCCESS} is answered by this service")
    elif "process-time" in success.headers:
        text = "it is still the game server that answers"
        advice = "take `api.` out of the shared server block of nginx; see docs/operating.md"
        yield warning("browser.server", text, advice)
    else:
        yield warning("browser.server", "something else than this service answers", "is the address right?")


def _cors(success: Result, failure: Result, preflight: Result, origin: str) -> Iterator[Finding]:
    """Check whether scripts may read the responses."""
    kinds = {"an answer": success, f"an error ({failure.status})": failure, "a preflight": preflight}
    allowed = {kind: _allowed_origins(result) for kind, result in kinds.items()}
    doubled = [kind for kind, values in allowed.items() if len(values) > 1]
    if doubled:
        text = f"{ALLOW_ORIGIN} comes more than once with {', '.join(doubled)}: browsers refuse it"
        yield error("browser.cors-doubled", text, REMOVE_HEADER)
    missing = [kind for kind, values in allowed.items() if not values]
    if missing:
        text = f"no {ALLOW_ORIGIN} with {', '.join(missing)}: scripts cannot read it"
        yield warning("browser.cors-missing", text, "let this service send it (CORS_ORIGINS), and nginx none")
    other = {value for values in allowed.values() for value in values} - {"*", origin}
    if other and not doubled:
        text = f"{ALLOW_ORIGIN} is {', '.join(sorted(other))}, not what {origin} needs"
        yield warning("browser.cors-other", text, "list the web front-end in CORS_ORIGINS")
    if not 200 <= preflight.status < 300:
        text = f"a preflight (OPTIONS) is answered with status {preflight.status}"
        yield warning("browser.preflight", text, "pass OPTIONS on to this service; is CORS_ORIGINS empty?")
    elif not (doubled or missing or other):
        yield ok("browser.cors", "scripts may read answers and errors, and a preflight is answered")


def _allowed_origins(result: Result) -> list[str]:
    lines = result.headers.getall(ALLOW_ORIGIN, [])
    return [value.strip() for line in lines for value in line.split(",")]


def _compression(long: Result) -> Finding:
    encoding = long.headers.get("Content-Encoding")
    if encoding:
        return ok("browser.compression", f"long answers are compressed ({encoding})")
    if len(long.body) < COMPRESSED_FROM:
        return ok("browser.compression", "no answer was long enough to see whether it is compressed")
    text = f"{LONG} comes uncompressed, {len(long.body)} bytes"
    return warning("browser.compression", text, "turn gzip on in nginx, for application/json too")
