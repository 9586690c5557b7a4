"""Whether the pp engine starts."""

import shlex

from api.dependencies import pp_engine_state
from checks.findings import Finding, ok, warning
from config.settings import Settings
from storage.pp.engine import interpreter


async def run(settings: Settings) -> list[Finding]:
    """Start the engine in the Python interpreter that the settings name, and stop it."""
    state = await pp_engine_state(settings)
    if state.state == "up":
        return [ok("pp-engine.starts", f"{state.description} starts")]
    if state.state == "off" and not settings.pp_python:
        return [ok("pp-engine.none", state.description)]
    advice = "PP_PYTHON is the path of a Python interpreter with the engine; empty: that of .venv-pp"
    if state.state == "down":
        python = shlex.quote(interpreter(settings))
        advice = f"run {python} -c 'import akatsuki_pp_py' to see why; {advice}. PP_MEMORY limits its memory"
    return [warning("pp-engine.unusable", state.description, advice)]
