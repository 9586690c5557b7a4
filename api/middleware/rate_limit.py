"""Rate limits: a token bucket for each client, and response headers that show its state."""

import logging
import math
import time
from functools import lru_cache

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.request import osu_v1
from api.request.auth import key_in
from api.response.errors import OSU_V1, error_response
from api.services import Services
from api.websocket import ANSWERS
from config.types import Networks
from domain.errors import ErrorSpec
from storage.api_keys import network
from storage.rate_limit import SECOND, RateLimiter, RateLimitState

log = logging.getLogger("apidot")

TOO_MANY = ErrorSpec(
    429, "Too many requests: {burst} may come at once, and {often} after that. Try again in {wait}."
)
# Requested often, and from few addresses, by the machines that monitor this service.
UNLIMITED_PATHS = frozenset({"/health/live", "/health/ready", "/metrics"})
LOG_INTERVAL = 60.0  # seconds between two log lines about refused requests


class RateLimitMiddleware:
    """Middleware: refuses requests over the limit with 429, and adds rate limit headers to all other responses.

    A client is the account whose API key it sends, or else its address. Only keys that are known to be valid
    count, so that made-up keys do not give a client more buckets; those of the osu! API v1 are looked up in the
    background, also if the response is cached. Requests that are passed to the game server
    count too. CORS preflights do not: an outer middleware answers them, and browsers would not show a refusal.

    The three headers are those of earlier versions of the IETF draft, which clients know; the current version
    of the draft is still changing.
    """

    def __init__(self, app: ASGIApp, exempt: Networks) -> None:
        """Clients in `exempt` are not limited."""
        self.app = app
        self._exempt = exempt
        self._bucket_of = lru_cache(4096)(self._bucket_of_address)
        self._logged = -LOG_INTERVAL

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        bucket = self._bucket_of(client[0], scope["client_known"]) if client else None
        if bucket is None or scope["path"] in UNLIMITED_PATHS:
            await self.app(scope, receive, send)
            return
        services: Services = scope["state"]["services"]
        limiter = services.rate_limiter
        if limiter is None:
            await self.app(scope, receive, send)
            return
        key = osu_key = osu_v1_key(services, scope)
        for name, value in scope["headers"]:
            if name == b"authorization":
                key = key_in(value.decode("latin-1"))
        if key:
            account = services.api_keys.known(key)
            bucket = bucket if account is None else f"account {account}"
        state = await limiter.take(bucket)
        headers = rate_limit_headers(limiter, state)

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ANSWERS:
                # A new list: cached responses share theirs.
                message = {**message, "headers": [*message.get("headers", ()), *headers]}
            await send(message)

        if state.wait:
            self._log_refusal(bucket)
            await refusal(scope, limiter, state)(scope, receive, send_with_headers)
            return
        # Where a key is required, the endpoint looks it up, and counts wrong ones.
        if osu_key and services.settings.osu_api_v1_key != "required":
            services.api_keys.learn(osu_key)
        await self.app(scope, receive, send_with_headers)

    def _bucket_of_address(self, address: str, known: bool = True) -> str | None:
        # Clients that connect through a Unix socket have no address.
        return None if not address or (known and address in self._exempt) else network(address)

    def _log_refusal(self, bucket: str) -> None:
        # The operator has to know if a proxy or a front-end is refused, and with it all of its users.
        now = time.monotonic()
        if now - self._logged >= LOG_INTERVAL:
            self._logged = now
            log.warning(
                "%s asks too often and is refused (429). If it is a proxy, name it in TRUSTED_PROXIES, and its"
                " header with the client's address in CLIENT_ADDRESS_HEADER. If it is the server of a front-end,"
                " name it in RATE_LIMIT_EXEMPT",
                bucket,
            )


def rate_limit_headers(limiter: RateLimiter, state: RateLimitState) -> list[tuple[bytes, bytes]]:
    """Return the headers: requests at once, requests left, and seconds until the bucket is full again."""
    return [
        (b"ratelimit-limit", b"%d" % limiter.burst),
        (b"ratelimit-remaining", b"%d" % state.remaining),
        (b"ratelimit-reset", b"%d" % -(-state.full // SECOND)),
    ]


def osu_v1_key(services: Services, scope: Scope) -> str:
    """Return the API key in the query string of a request for the osu! API v1, and set its route; else nothing."""
    if not services.settings.osu_api_v1:
        return ""
    name = osu_v1.endpoint_of(scope, has_game_server=services.game_server_proxy is not None)
    if name is None:
        return ""
    # A refusal has the form of that API.
    scope["route"] = OSU_V1 + name
    return osu_v1.key_in(scope["query_string"])


def refusal(scope: Scope, limiter: RateLimiter, state: RateLimitState) -> Response:
    seconds = math.ceil(state.wait / SECOND)
    often = f"{limiter.rate:g} a second" if limiter.rate >= 1 else f"one in {1 / limiter.rate:g} seconds"
    wait = f"{seconds} second{'s' if seconds > 1 else ''}"
    text = TOO_MANY.message.format(burst=limiter.burst, often=often, wait=wait)
    return error_response(scope, TOO_MANY.status, text, {"Retry-After": str(seconds)})
