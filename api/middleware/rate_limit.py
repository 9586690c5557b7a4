"""Who may ask how often: a bucket of requests for each client, and what a request says of it."""

import logging
import math
import time
from functools import lru_cache

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.request.auth import key_in
from api.response.errors import JSON, failure
from api.services import Services
from config.types import Networks
from domain.errors import ErrorSpec
from storage.api_keys import network
from storage.rate_limit import SECOND, RateLimiter, RateLimitState

log = logging.getLogger("apidot")

TOO_MANY = ErrorSpec(
    429, "Too many requests: {burst} may come at once, and {often} after that. Try again in {wait}."
)
# Asked by machines that watch this service, often and from a few addresses.
FREE = frozenset({"/health/live", "/health/ready", "/metrics"})
# Seconds between two lines of the log about refusals.
QUIET = 60.0


class RateLimitMiddleware:
    """Middleware: refuses with 429 who asks too often, and tells everybody else how much is left.

    A client is its address, or the account whose API key it sends. A key counts only once it has been found to be
    somebody's: nobody gets another bucket by making keys up. What is passed on to the game server counts too. CORS
    preflights are answered before they come here, and browsers would not show a refusal of one to anybody.

    The headers are those of the draft's earlier versions, three plain numbers that clients know how to read; what
    it says today is still changing.
    """

    def __init__(self, app: ASGIApp, exempt: Networks) -> None:
        """Clients in the networks `exempt` are not limited."""
        self.app = app
        self._exempt = exempt
        self._subject = lru_cache(4096)(self._subject_of)
        self._told = -QUIET

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        subject = self._subject(client[0]) if client and scope["type"] == "http" else None
        if subject is None or scope["path"] in FREE:
            await self.app(scope, receive, send)
            return
        services: Services = scope["state"]["services"]
        limits = services.rate_limiter
        if limits is None:
            await self.app(scope, receive, send)
            return
        for name, value in scope["headers"]:
            if name == b"authorization":
                account = services.api_keys.known(key_in(value.decode("latin-1")))
                subject = subject if account is None else f"account {account}"
        left = await limits.take(subject)
        headers = told(limits, left)

        async def send_told(message: Message) -> None:
            if message["type"] == "http.response.start":
                # Kept answers share their headers, so that these must not be added in place.
                message = {**message, "headers": [*message["headers"], *headers]}
            await send(message)

        if left.wait:
            self._tell(subject)
            await refusal(scope["path"], limits, left)(scope, receive, send_told)
        else:
            await self.app(scope, receive, send_told)

    def _subject_of(self, address: str) -> str | None:
        """Whose bucket an address has, None when it is not limited."""
        # Who comes through a socket of this machine has no address.
        return None if not address or address in self._exempt else network(address)

    def _tell(self, subject: str) -> None:
        """The operator has to know when it hits somebody who speaks for many: one line a minute."""
        now = time.monotonic()
        if now - self._told >= QUIET:
            self._told = now
            log.warning(
                "%s asks too often and is refused (429). If it is a proxy, name it in TRUSTED_PROXIES, if it is"
                " the server of a front-end, in RATE_LIMIT_EXEMPT",
                subject,
            )


def told(limits: RateLimiter, left: RateLimitState) -> list[tuple[bytes, bytes]]:
    """The headers that say how much is left, and in how many seconds all of it will be back."""
    return [
        (b"ratelimit-limit", b"%d" % limits.burst),
        (b"ratelimit-remaining", b"%d" % left.remaining),
        (b"ratelimit-reset", b"%d" % -(-left.full // SECOND)),
    ]


def refusal(path: str, limits: RateLimiter, left: RateLimitState) -> JSON:
    """The answer to one request too many."""
    seconds = math.ceil(left.wait / SECOND)
    often = f"{limits.rate:g} a second" if limits.rate >= 1 else f"one in {1 / limits.rate:g} seconds"
    wait = f"{seconds} second{'s' if seconds > 1 else ''}"
    text = TOO_MANY.message.format(burst=limits.burst, often=often, wait=wait)
    return JSON(failure(path, text), TOO_MANY.status, headers={"Retry-After": str(seconds)})
