"""Whether this service works: for those who start it anew, those who send it requests, and the start page."""

from typing import Literal

import msgspec
from starlette.requests import Request

from api.dependencies import DEGRADED, State
from api.request.params import NoParams
from api.response.errors import JSON
from api.services import Services

# Seconds the whole question may take.
PATIENCE = 2.0


class Alive(msgspec.Struct, frozen=True):
    """That the process answers, whatever is around it."""

    status: Literal["alive"] = "alive"


class Found(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a neighbour is found, and what is different while it is not up."""

    state: State
    meanwhile: str = ""


class DependencyStates(msgspec.Struct, frozen=True, kw_only=True):
    """What this service leans on."""

    database: Found
    redis: Found
    game_server: Found
    replays: Found
    pp_engine: Found


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether questions are answered: `degraded` is that some of them are answered worse than they could be."""

    status: Literal["ready", "degraded", "unavailable"]
    neighbours: DependencyStates


class NotReady(Exception):
    """The database does not answer, without which next to nothing can be said."""

    def __init__(self, readiness: Readiness) -> None:
        super().__init__("not ready")
        self.readiness = readiness


async def live(_: Services, __: NoParams) -> Alive:
    """That the process answers. No new process mends a neighbour that is away, so none is asked."""
    return Alive()


async def ready(services: Services, _: NoParams) -> Readiness:
    """How the neighbours are found, at most two seconds ago. Raises NotReady without the database."""
    found = await services.dependencies.look(PATIENCE)
    around = {
        name: Found(state=each.state, meanwhile="" if each.state in ("up", "unknown") else DEGRADED[name])
        for name, each in found.items()
    }
    states = {each.state for each in around.values()}
    readiness = Readiness(
        status="degraded" if "down" in states else "ready", neighbours=DependencyStates(**around)
    )
    if around["database"].state != "up":
        raise NotReady(msgspec.structs.replace(readiness, status="unavailable"))
    return readiness


async def not_ready(_: Request, error: Exception) -> JSON:
    """The answer to NotReady."""
    assert isinstance(error, NotReady)
    return JSON(error.readiness, 503, headers={"Retry-After": "2"})
