"""Generate docs/settings.md and .env.example from the settings: `make settings`."""

import re
import textwrap
from dataclasses import Field
from pathlib import Path
from typing import Any

from config.environment import accepted
from config.settings import all_settings

ROOT = Path(__file__).resolve().parent.parent
MARKDOWN = ROOT / "docs" / "settings.md"
ENV_EXAMPLE = ROOT / ".env.example"
WIDTH = 115
# Text above this line of docs/settings.md is written by hand.
MARKER = "<!-- The rest of this file is generated from config/settings.py: run `make settings`. -->"
ENV_EXAMPLE_HEAD = """\
# Every setting with its default. Copy to .env and uncomment what differs, or pass bancho.py's own .env with --env.
# This file is generated from config/settings.py: run `make settings`.
"""


def markdown(current: str) -> str:
    """Return the new text of docs/settings.md, given the current one: a table for each group of settings."""
    lines = [current.partition(MARKER)[0] + MARKER]
    for field in all_settings():
        if heading := field.metadata["heading"]:
            lines += [f"\n## {heading}\n", "| setting | default | values | meaning |", "|---|---|---|---|"]
        default = default_of(field)
        cells = [
            f"`{field.name.upper()}`",
            f"`{default}`" if default else "",
            accepted(field),
            re.sub(r"\b[A-Z]+_[A-Z0-9_]*", r"`\g<0>`", field.metadata["description"]),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def env_example() -> str:
    """Return the text of .env.example: every setting, commented out, below its description."""
    lines = [ENV_EXAMPLE_HEAD]
    for field in all_settings():
        if heading := field.metadata["heading"]:
            lines.append(f"# --- {heading}\n")
        lines += textwrap.wrap(field.metadata["description"], WIDTH, initial_indent="# ", subsequent_indent="# ")
        lines.append(f"#{field.name.upper()}={default_of(field)}\n")
    return "\n".join(lines)


def default_of(field: Field[Any]) -> str:
    """Return the default of a setting as it is written in a settings file."""
    return str(field.default).lower() if field.type is bool else str(field.default)


if __name__ == "__main__":
    MARKDOWN.write_text(markdown(MARKDOWN.read_text(encoding="utf-8")), encoding="utf-8")
    ENV_EXAMPLE.write_text(env_example(), encoding="utf-8")
