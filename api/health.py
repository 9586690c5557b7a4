"""/health/live and /health/ready: whether the process runs, and whether what it depends on is available."""

from typing import Literal

import msgspec

from api.dependencies import DEGRADED, State
from api.request.params import NoParams
from api.response.errors import JSON
from api.services import Services
from config.version import VERSION

# Seconds a dependency may take to answer.
DEPENDENCY_TIMEOUT = 2.0


class Alive(msgspec.Struct, frozen=True):
    """The body of /health/live."""

    status: Literal["alive"] = "alive"
    version: str = VERSION


class DependencyState(msgspec.Struct, frozen=True, omit_defaults=True):
    """The state of a dependency, and what a client notices while the dependency is not up."""

    state: State
    meanwhile: str = ""


class Readiness(msgspec.Struct, frozen=True):
    """The body of /health/ready. `degraded`: some responses are worse than they could be, or 503."""

    status: Literal["ready", "degraded", "unavailable"]
    neighbours: dict[str, DependencyState]
    version: str = VERSION


async def live(_: Services, __: NoParams) -> Alive:
    """Return that the process runs. No dependency is checked, since a restart of this process would mend none."""
    return Alive()


async def ready(services: Services, _: NoParams) -> Readiness | JSON:
    """Return the state of each dependency, a few seconds old at most. The status is 503 without the database."""
    states = {
        name: DependencyState(dependency.state, dependency.degraded or _degraded(name, dependency.state))
        for name, dependency in (await services.dependencies.states(DEPENDENCY_TIMEOUT)).items()
    }
    if states["database"].state != "up":
        return JSON(Readiness("unavailable", states), 503, headers={"Retry-After": "2"})
    some_is_down = any(dependency.state == "down" for dependency in states.values())
    degraded = some_is_down or states["database"].meanwhile != ""
    return Readiness("degraded" if degraded else "ready", states)


def _degraded(name: str, state: State) -> str:
    return "" if state in ("up", "unknown") else DEGRADED[name]
