"""The application: routes, the answers to errors, and what is around every request."""

import gc
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TypedDict

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.types import ASGIApp

from api.health import NotReady, not_ready
from api.middleware.client_address import ClientAddress
from api.middleware.cors import CORS
from api.middleware.drain_body import DrainUnreadBody
from api.middleware.rate_limit import RateLimitMiddleware
from api.middleware.request_log import RequestLog
from api.observability.access_log import LoggedTarget
from api.observability.log_format import at_once
from api.observability.metrics import Metrics
from api.observability.metrics_route import MetricsPage
from api.observability.process_metrics import Samples
from api.request.params import InvalidParams
from api.response import errors
from api.response.cache import CachedResponseShortcut, ResponseCache
from api.routes import ROUTES, routes
from api.services import Services
from config.settings import Settings
from domain.errors import APIError, Unavailable

log = logging.getLogger("apidot")


class State(TypedDict):
    """What the life of the application offers each request."""

    services: Services
    answers: ResponseCache
    watch: RequestLog


async def http_error(request: Request, error: Exception) -> errors.JSON:
    """The answer to what the router refuses: an unknown path, a method that a path does not take."""
    assert isinstance(error, HTTPException)
    return errors.JSON({"detail": error.detail}, error.status_code, headers=dict(error.headers or {}))


def build(
    settings: Settings,
    open_services: Callable[[Settings], AbstractAsyncContextManager[Services]],
    metrics: Metrics | None = None,
) -> ASGIApp:
    """The ASGI application. `open_services` is entered at start-up and left at shutdown."""
    samples = Samples(metrics) if metrics else None

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[State]:
        async with open_services(settings) as services, watching(watch, settings, samples):
            kept = ResponseCache(services)
            if samples:
                samples.add("cache_kept_bytes", "Memory that kept answers take at the most.", lambda: kept.bytes)
                samples.add("cache_kept_answers", "Kept answers.", lambda: kept.count)
            try:
                yield {"services": services, "answers": kept, "watch": watch}
            finally:
                await kept.close()

    app = Starlette(
        routes=[MetricsPage(metrics, samples, settings.metrics_readers), *routes()],
        lifespan=lifespan,
        middleware=[
            Middleware(RateLimitMiddleware, settings.unlimited),
            Middleware(CachedResponseShortcut),
            Middleware(DrainUnreadBody),
        ],
        exception_handlers={
            APIError: errors.api_error,
            InvalidParams: errors.invalid_params,
            Unavailable: errors.unavailable,
            NotReady: not_ready,
            HTTPException: http_error,
            Exception: errors.internal_error,
        },
    )
    # The table takes a slash at the end as it is; one more is another path, not a reason to redirect.
    app.router.redirect_slashes = False
    # Outside of Starlette's own handling of faults, so that a 500 carries their headers too.
    wrapped: ASGIApp = CORS(app, settings.origins) if settings.origins else app
    shown = {route: frozenset(endpoint.params.__struct_encode_fields__) for route, endpoint in ROUTES.items()}
    watch = RequestLog(wrapped, targets=LoggedTarget(shown) if settings.access_log else None, metrics=metrics)
    return ClientAddress(watch, settings.proxies)


@asynccontextmanager
async def watching(watch: RequestLog, settings: Settings, samples: Samples | None) -> AsyncIterator[None]:
    """Says when the worker is ready and when it has stopped, and samples in between."""
    async with AsyncExitStack() as ending:
        if samples:
            samples.add("http_requests_in_flight", "Requests being answered.", lambda: watch.in_flight)
            samples.add("database_connections_limit", "Connections at the most.", lambda: settings.db_pool_max)
            await ending.enter_async_context(samples.taken())
        spare_collector()
        log.info("worker %d is ready", os.getpid())
        at_once(False)
        yield
        # A process that is ended by a signal has no time to tell later.
        at_once(True)
        ended = f"{watch.draining - watch.in_flight} answered, {watch.in_flight} cut off"
        log.info("worker %d has stopped; requests in flight: %s", os.getpid(), ended if watch.draining else "none")


def spare_collector() -> None:
    """Keeps the cyclic collector out of the way of requests."""
    # Without this 2 320 requests, one in seven of them a list, made it run 219 times, once for 44 ms: over all
    # that a start loads. Frozen, such a run takes 0.3 ms; with this threshold there were 2 in all, of 0.5 ms.
    # Requests leave no cycles behind (0 objects were collected); those that faults leave are found a little
    # later.
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 10, 10)
