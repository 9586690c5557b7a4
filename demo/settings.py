"""Settings for serving the demo world."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from config.settings import Settings
from config.types import Secret
from demo.build import DATABASE
from demo.users import DEMO_KEYS


def demo_folder(settings: Settings) -> Path:
    """Return the folder of the demo world, which is in the data folder."""
    return Path(settings.data_directory).resolve() / "demo"


def in_demo_world(settings: Settings) -> Settings:
    """Return the settings; if they configure no database, changed to serve the demo world."""
    if settings.database is not None:
        return settings
    folder = demo_folder(settings)
    return replace(
        settings,
        database_url=Secret(f"sqlite:///{quote(str(folder / DATABASE))}"),
        data_directory=str(folder),
        demo_key=DEMO_KEYS[4],
    )
