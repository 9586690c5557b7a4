"""Whether the pp engine starts."""

from api.dependencies import pp_engine_state
from checks.findings import Finding, ok, warning
from config.settings import Settings


async def run(settings: Settings) -> list[Finding]:
    """Start the engine in the Python interpreter that the settings name, and stop it."""
    state = await pp_engine_state(settings)
    if state.state == "up":
        return [ok("pp-engine.starts", f"{state.description} starts")]
    if state.state == "off" and not settings.pp_python:
        return [ok("pp-engine.none", state.description)]
    advice = "PP_PYTHON is the path of a Python interpreter with the engine; empty: that of this service"
    return [warning("pp-engine.unusable", state.description, advice)]
