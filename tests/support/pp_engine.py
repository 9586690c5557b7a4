"""Whether the service finds the pp engine on this machine. Tests that need it are marked with `pp_engine`."""

import asyncio
from functools import cache
from typing import Any

import pytest

from config.settings import Settings
from storage.pp.engine import try_to_start
from storage.workers.process import NotInstalled


@cache
def installed() -> bool:
    """Return whether the engine starts without PP_PYTHON. Raise NotStarting if it is installed and does not."""
    try:
        asyncio.run(try_to_start(Settings()))
    except NotInstalled:
        return False
    return True


def param(*values: object, needed: bool, id: str | None = None) -> Any:
    """Return these values of a parametrized test as `pytest.param` does, marked if the engine is needed."""
    return pytest.param(*values, id=id, marks=[pytest.mark.pp_engine] if needed else [])
