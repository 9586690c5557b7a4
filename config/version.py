"""The version of apidot, as pyproject.toml has it."""

import tomllib
from pathlib import Path

_PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
# apidot is run from its folder and not installed, so importlib.metadata does not know it.
VERSION: str = tomllib.loads(_PYPROJECT.read_text(encoding="utf-8"))["project"]["version"]
