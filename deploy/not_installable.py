"""The build backend of pyproject.toml, which says why there is nothing to build."""

import sys
from typing import NoReturn

MESSAGE = "apidot is not a package to install: run `make install` in its folder, then `.venv/bin/python main.py`"


def build_wheel(*_: object, **__: object) -> NoReturn:
    """End `pip install .` with one line."""
    sys.exit(MESSAGE)


get_requires_for_build_wheel = build_editable = get_requires_for_build_editable = build_wheel
build_sdist = get_requires_for_build_sdist = build_wheel
