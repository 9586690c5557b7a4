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

from api import answers
from api.address import ClientAddress
from api.bodies import Unread
from api.cache import Answers, Ready
from api.cors import CORS
from api.health import NotReady, not_ready
from api.limits import RateLimits
from api.middleware import Watch
from api.params import InvalidParams
from api.routes import ROUTES, routes
from api.services import Services
from api.watch.access import Targets
from api.watch.logs import at_once
from api.watch.metrics import Metrics
from api.watch.page import MetricsPage
from api.watch.samples import Samples
from domain.errors import Refusal, Unavailable
from domain.settings import Settings

log = logging.getLogger("apidot")


class State(TypedDict):
    """What the life of the application offers each request."""

    services: Services
    answers: Answers
    watch: Watch


async def http_error(request: Request, error: Exception) -> answers.JSON:
    """The answer to what the router refuses: an unknown path, a method that a path does not take."""
    assert isinstance(error, HTTPException)
    return answers.JSON({"detail": error.detail}, error.status_code, headers=dict(error.headers or {}))


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
            kept = Answers(services)
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
        middleware=[Middleware(RateLimits, settings.unlimited), Middleware(Ready), Middleware(Unread)],
        exception_handlers={
            Refusal: answers.refused,
            InvalidParams: answers.invalid,
            Unavailable: answers.unavailable,
            NotReady: not_ready,
            HTTPException: http_error,
            Exception: answers.internal_error,
        },
    )
    # The table takes a slash at the end as it is; one more is another path, not a reason to redirect.
    app.router.redirect_slashes = False
    # Outside of Starlette's own handling of faults, so that a 500 carries their headers too.
    wrapped: ASGIApp = CORS(app, settings.origins) if settings.origins else app
    shown = {route: frozenset(endpoint.params.__struct_encode_fields__) for route, endpoint in ROUTES.items()}
    watch = Watch(wrapped, targets=Targets(shown) if settings.access_log else None, metrics=metrics)
    return ClientAddress(watch, settings.proxies)


@asynccontextmanager
async def watching(watch: Watch, settings: Settings, samples: Samples | None) -> AsyncIterator[None]:
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
