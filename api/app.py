"""The ASGI application: routes, error handlers, middleware, and what runs at startup and shutdown."""

import gc
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from api.additions import LearnedAdditions
from api.middleware.client_address import ClientAddress
from api.middleware.cors import CORS
from api.middleware.drain_body import DrainUnreadBody
from api.middleware.rate_limit import RateLimitMiddleware
from api.middleware.request_log import RequestLog
from api.observability.access_log import LoggedTarget
from api.observability.log_format import set_unbuffered
from api.observability.metrics import Metrics
from api.observability.metrics_route import MetricsPage
from api.request.params import InvalidParams
from api.response import errors
from api.response.cache import CachedResponseShortcut, ResponseCache
from api.routes import ROUTES, additions_to_routes, routes
from api.services import Services
from api.watchdog import watching
from config.settings import Settings
from config.types import Networks
from domain.errors import APIError, Unavailable

log = logging.getLogger("apidot")


async def http_error(request: Request, error: Exception) -> errors.JSON:
    """Return the response to an unknown path, or to a method that a path does not accept."""
    assert isinstance(error, HTTPException)
    return errors.JSON({"detail": error.detail}, error.status_code, headers=dict(error.headers or {}))


EXCEPTION_HANDLERS: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
    APIError: errors.api_error,
    InvalidParams: errors.invalid_params,
    Unavailable: errors.api_error,
    HTTPException: http_error,
    Exception: errors.internal_error,
}


def build(
    settings: Settings,
    open_services: Callable[[Settings], AbstractAsyncContextManager[Services]],
    metrics: Metrics | None = None,
    on_ready: Callable[[], None] = lambda: None,
) -> ASGIApp:
    """Return the ASGI application. `open_services` is entered before `on_ready` is called, and left at the end."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[dict[str, Any]]:
        async with AsyncExitStack() as stack:
            services = await stack.enter_async_context(open_services(settings))
            cache = ResponseCache(services)
            stack.push_async_callback(cache.close)
            if metrics:
                add_gauges(metrics, services, cache, request_log)
                await stack.enter_async_context(metrics.sampling())
            additions = learned_additions(services, cache)
            await stack.enter_async_context(additions.kept_current())
            with running_worker(request_log), watching(services.deadlines, settings.watchdog):
                # The contents of scope["state"] in every request.
                state = {"services": services, "response_cache": cache, "additions": additions}
                on_ready()
                yield state | {"request_log": request_log}

    app = Starlette(
        routes=routes(MetricsPage(metrics, Networks(settings.metrics_for)), settings),
        lifespan=lifespan,
        middleware=[
            # Around the others, which may respond before a body was read.
            Middleware(DrainUnreadBody),
            Middleware(RateLimitMiddleware, Networks(settings.rate_limit_exempt)),
            Middleware(CachedResponseShortcut),
        ],
        exception_handlers=EXCEPTION_HANDLERS,
    )
    # Routes accept one trailing slash themselves; a path with more of them is unknown.
    app.router.redirect_slashes = False
    # These wrap Starlette's own error middleware, so that a 500 has their headers too.
    with_cors: ASGIApp = CORS(app, settings.origins) if settings.origins else app
    parameters = {route: endpoint.params.__struct_encode_fields__ for route, endpoint in ROUTES.items()}
    target = LoggedTarget(parameters) if settings.access_log else None
    request_log = RequestLog(with_cors, target=target, metrics=metrics)
    return ClientAddress(request_log, Networks(settings.trusted_proxies), settings.client_address_header)


def add_gauges(metrics: Metrics, services: Services, cache: ResponseCache, request_log: RequestLog) -> None:
    """Add what is measured of this application."""
    add = metrics.add_gauge
    add("cache_kept_bytes", "Memory that kept answers take at the most.", lambda: cache.bytes)
    add("cache_kept_answers", "Kept answers.", lambda: cache.count)
    add("http_requests_in_flight", "Requests being answered.", lambda: request_log.in_flight)
    add("database_connections_limit", "Connections at the most.", lambda: services.settings.db_pool_max)
    add("event_listeners", "Listeners to live events.", lambda: len(services.events))
    lag = "Seconds for which it is not known what has happened, of what somebody listens to."
    add("event_lag_seconds", lag, lambda: services.events.lag, "livemax")


def learned_additions(services: Services, cache: ResponseCache) -> LearnedAdditions:
    """Return what is passed on of the paths that are served."""
    settings = services.settings
    server = services.game_server if settings.learn_fork and settings.passes_on else None
    # Of the requests whose responses are cached, some may now be passed on.
    return LearnedAdditions(server, partial(additions_to_routes, settings), on_change=cache.forget_requests)


@contextmanager
def running_worker(request_log: RequestLog) -> Iterator[None]:
    """Log when the worker is ready and when it has stopped."""
    tune_garbage_collector()
    log.info("worker %d is ready", os.getpid())
    set_unbuffered(False)
    yield
    # A process that is ended by a signal cannot write its last lines later.
    set_unbuffered(True)
    draining, cut_off = request_log.draining, request_log.cut_off + request_log.in_flight
    outcome = f"{max(draining - cut_off, 0)} answered, {cut_off} cut off" if draining else "none"
    log.info("worker %d has stopped; requests in flight: %s", os.getpid(), outcome)


def tune_garbage_collector() -> None:
    """Keep the cyclic garbage collector from interrupting requests."""
    # Without this, 2 320 requests (one in seven a list) caused 219 collections, one of which took 44 ms because it
    # traversed everything that is loaded at startup. With those objects frozen a collection takes 0.3 ms, and with
    # this threshold there were two, of 0.5 ms. Requests leave no cycles behind (0 objects were collected), only
    # exceptions do; those are found a little later.
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 10, 10)
