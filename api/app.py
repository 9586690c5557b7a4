"""The application: routes, the answers to errors, and what is around every request."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypedDict

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.types import ASGIApp

from api import answers
from api.address import ClientAddress
from api.bodies import Unread
from api.cors import CORS
from api.health import NotReady, not_ready
from api.middleware import RequestID
from api.params import InvalidParams
from api.routes import routes
from api.services import Services
from domain.errors import Refusal, Unavailable
from domain.settings import Settings


class State(TypedDict):
    """What the life of the application offers each request."""

    services: Services


def http_error(request: Request, error: Exception) -> answers.JSON:
    """The answer to what the router refuses: an unknown path, a method that a path does not take."""
    assert isinstance(error, HTTPException)
    return answers.JSON({"detail": error.detail}, error.status_code, headers=dict(error.headers or {}))


def build(
    settings: Settings, open_services: Callable[[Settings], AbstractAsyncContextManager[Services]]
) -> ASGIApp:
    """The ASGI application. `open_services` is entered at start-up and left at shutdown."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[State]:
        async with open_services(settings) as services:
            yield {"services": services}

    app = Starlette(
        routes=routes(),
        lifespan=lifespan,
        middleware=[Middleware(Unread)],
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
    return ClientAddress(RequestID(wrapped), settings.proxies)
