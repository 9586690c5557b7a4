"""Whether the pp engine is installed and starts."""

import shlex
import sys

from api.dependencies import pp_engine_state
from checks.findings import Finding, ok, warning
from config.settings import Settings
from storage.pp.engine import ENGINE


async def run(settings: Settings) -> list[Finding]:
    """Start the pp engine as a request does, and stop it."""
    state = await pp_engine_state(settings)
    if state.state == "up":
        return [ok("pp-engine.starts", f"{ENGINE} starts")]
    if state.state == "off":
        python = f"the Python in PP_PYTHON ({settings.pp_python})" if settings.pp_python else "this Python"
        text = f"{ENGINE} is not installed for {python}: calculate_pp answers 501"
        if settings.pp_python:
            return [
                warning(
                    "pp-engine.not-installed",
                    text,
                    f"run {shlex.quote(settings.pp_python)} -m pip install {ENGINE}",
                )
            ]
        return [ok("pp-engine.not-installed", f"{text}. It needs Python 3.11, or PP_PYTHON")]
    command = f"{shlex.quote(settings.pp_python or sys.executable)} -c 'import akatsuki_pp_py'"
    advice = (
        f"run {command} to see why; PP_PYTHON names the Python, PP_MEMORY ({settings.pp_memory} MiB) its memory"
    )
    return [
        warning(
            "pp-engine.not-starting", f"{ENGINE} does not start ({state.error}): calculate_pp answers 503", advice
        )
    ]
