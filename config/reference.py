"""Generate docs/settings.md and .env.example from the settings: `make settings`."""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_type_hints

from msgspec import Meta

from config.environment import accepted
from config.settings import Settings

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


def settings() -> Iterator[tuple[str, str, str, Meta]]:
    """Yield (name, default, accepted values, description) of every setting, in the order of the Struct."""
    defaults = Settings()
    for name, kind in get_type_hints(Settings, include_extras=True).items():
        default = getattr(defaults, name)
        text = str(default).lower() if isinstance(default, bool) else str(default)
        yield name.upper(), text, accepted(kind), get_args(kind)[1]


def markdown(current: str) -> str:
    """Return the new text of docs/settings.md, given the current one: a table for each group of settings."""
    lines = [current.partition(MARKER)[0] + MARKER]
    for name, default, values, meta in settings():
        if heading := heading_of(meta):
            lines += [f"\n## {heading}\n", "| setting | default | values | meaning |", "|---|---|---|---|"]
        cells = [
            f"`{name}`",
            f"`{default}`" if default else "",
            values if values != "a text" else "",
            re.sub(r"\b[A-Z]+_[A-Z0-9_]*", r"`\g<0>`", meta.description or ""),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def env_example() -> str:
    """Return the text of .env.example: every setting, commented out, below its description."""
    lines = [ENV_EXAMPLE_HEAD]
    for name, default, _, meta in settings():
        if heading := heading_of(meta):
            lines.append(f"# --- {heading}\n")
        lines += textwrap.wrap(meta.description or "", WIDTH, initial_indent="# ", subsequent_indent="# ")
        lines.append(f"#{name}={default}\n")
    return "\n".join(lines)


def heading_of(meta: Meta) -> str:
    """Return the heading of the group that begins with a setting, "" if it continues a group."""
    return str((meta.extra or {})["heading"])


if __name__ == "__main__":
    MARKDOWN.write_text(markdown(MARKDOWN.read_text(encoding="utf-8")), encoding="utf-8")
    ENV_EXAMPLE.write_text(env_example(), encoding="utf-8")
