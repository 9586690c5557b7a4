"""What a browser sees at the public address: CORS, compression, HTTP version, certificate."""

import ssl
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

import aiohttp
from multidict import CIMultiDictProxy

from checks import tls
from checks.findings import Finding, error, ok, warning

ALLOW_ORIGIN = "Access-Control-Allow-Origin"
ANYWHERE = "https://anywhere.example"
ANSWER = "/v1/get_player_count"
NOTHING = "/v1/get_player_info?scope=all&id=2147483647"
LONG = "/v1/get_leaderboard"
WORTH_IT = 1024  # bytes
TAKE_OUT = (
    "take `add_header Access-Control-Allow-Origin` out of nginx's configuration, or set CORS_ORIGINS to nothing"
)


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: "CIMultiDictProxy[str]"
    body: bytes


async def run(url: str, origins: list[str]) -> list[Finding]:
    """The service behind `url`, asked as a script of the first of the origins would."""
    parts = urlsplit(url)
    origin = next((each for each in origins if each != "*"), ANYWHERE)
    headers = {"Origin": origin, "Accept-Encoding": "gzip"}
    found: list[Finding] = []
    try:
        context, found = await _way(parts.scheme, parts.hostname or "", parts.port)
        connector = aiohttp.TCPConnector(ssl=context)
        timeout = aiohttp.ClientTimeout(total=10, sock_connect=5)
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, headers=headers, auto_decompress=False
        ) as session:
            base = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
            answer = await _ask(session, "GET", base + ANSWER)
            if answer.status != 200:
                return [*found, _refused(answer)]
            nothing = await _ask(session, "GET", base + NOTHING)
            asking = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
            preflight = await _ask(session, "OPTIONS", base + ANSWER, asking)
            long = await _ask(session, "GET", base + LONG)
    except (OSError, aiohttp.ClientError) as reason:
        text = f"{parts.hostname} cannot be reached: {str(reason) or 'no answer in time'}"
        return [*found, error("browser.away", text, "look at DNS, the firewall and nginx's error log")]
    return [*found, *_server(answer), *_cors(answer, nothing, preflight, origin), _compression(long)]


async def _way(scheme: str, host: str, port: int | None) -> tuple[ssl.SSLContext | bool, list[Finding]]:
    if scheme == "https":
        return await tls.shake(host, port or 443)
    text = "plain HTTP: pages that came over HTTPS may not ask here"
    return True, [warning("browser.no-tls", text, "check the https:// address, or get a certificate")]


async def _ask(
    session: aiohttp.ClientSession, method: str, url: str, headers: dict[str, str] | None = None
) -> Answer:
    async with session.request(method, url, headers=headers, allow_redirects=False) as response:
        return Answer(response.status, response.headers, await response.read())


def _refused(answer: Answer) -> Finding:
    text = f"{ANSWER} is answered with status {answer.status}"
    if 300 <= answer.status < 400:
        return error(
            "browser.status", f"{text}, to {answer.headers.get('Location')}", "check the address it leads to"
        )
    return error("browser.status", text, "look at nginx's error log and this service's log")


def _server(answer: Answer) -> Iterator[Finding]:
    """Whether it is this service that answers."""
    if "X-Request-ID" in answer.headers:
        yield ok("browser.server", f"{ANSWER} is answered by this service")
    elif "process-time" in answer.headers:
        text = "it is still the game server that answers"
        advice = "take `api.` out of the shared server block of nginx; see docs/operating.md"
        yield warning("browser.server", text, advice)
    else:
        yield warning("browser.server", "something else than this service answers", "is the address right?")


def _cors(answer: Answer, nothing: Answer, preflight: Answer, origin: str) -> Iterator[Finding]:
    """Whether scripts may read the answers."""
    kinds = {"an answer": answer, f"an error ({nothing.status})": nothing, "a preflight": preflight}
    allowed = {kind: _allowed(each) for kind, each in kinds.items()}
    doubled = [kind for kind, values in allowed.items() if len(values) > 1]
    if doubled:
        text = f"{ALLOW_ORIGIN} comes more than once with {', '.join(doubled)}: browsers refuse it"
        yield error("browser.cors-doubled", text, TAKE_OUT)
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


def _allowed(answer: Answer) -> list[str]:
    lines = answer.headers.getall(ALLOW_ORIGIN, [])
    return [value.strip() for line in lines for value in line.split(",")]


def _compression(long: Answer) -> Finding:
    encoding = long.headers.get("Content-Encoding")
    if encoding:
        return ok("browser.compression", f"long answers are compressed ({encoding})")
    if len(long.body) < WORTH_IT:
        return ok("browser.compression", "no answer was long enough to see whether it is compressed")
    text = f"{LONG} comes uncompressed, {len(long.body)} bytes"
    return warning("browser.compression", text, "turn gzip on in nginx, for application/json too")
