"""The settings that lead into the demo world."""

from pathlib import Path
from urllib.parse import quote

import msgspec

from config.settings import Settings
from config.types import Secret
from demo.build import DATABASE


def demo_folder(settings: Settings) -> Path:
    """Where the demo world lives: below the data folder."""
    return Path(settings.data_directory).resolve() / "demo"


def in_demo_world(settings: Settings) -> Settings:
    """The settings that lead into the demo world, when no database is configured."""
    if settings.database is not None:
        return settings
    folder = demo_folder(settings)
    return msgspec.structs.replace(
        settings,
        database_url=Secret(f"sqlite:///{quote(str(folder / DATABASE))}"),
        data_directory=str(folder),
    )
