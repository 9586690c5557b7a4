"""Names of variables: those that belong to a game server, and those that are nearly names of settings."""

from collections.abc import Iterable
from difflib import get_close_matches

from config.settings import all_settings

# An operator who sets one of these has a game server, and does not want the demo world.
OF_A_GAME_SERVER = ("DATABASE_URL", "GAME_SERVER_URL", "DATA_DIRECTORY")
PREFIXES_OF_A_GAME_SERVER = ("DB_", "REDIS_", "APP_", "SERVER_")
SETTINGS = [field.name.upper() for field in all_settings()]
# Of two names whose similarity is above this, one is probably a typing error, as in RATE_LIMT or DB_PASSWORD.
# No name in the settings files of bancho.py's versions comes near it.
SIMILAR = 0.77
# Similar names that bancho.py, systemd, libraries for AWS and the tests of this project use.
OF_OTHERS = ("OSU_API_KEY", "STATE_DIRECTORY", "AWS_ENDPOINT_URL_", "TEST_")


def of_a_game_server(names: Iterable[str]) -> list[str]:
    """Return those of the names that are settings of a game server, or nearly so, in order."""
    return sorted(name for name in names if _belongs(name.upper()) or _belongs(meant_by(name) or ""))


def meant_by(name: str) -> str | None:
    """Return the setting whose name is nearly `name`, None if there is none or `name` is that of a setting."""
    upper = name.upper()
    if name in SETTINGS or upper.startswith(OF_OTHERS):
        return None
    if upper in SETTINGS:
        return upper
    similar = get_close_matches(upper, SETTINGS, n=3, cutoff=SIMILAR)
    # DB_HOSTNAME is more similar to DB_NAME than to DB_HOST.
    extended = [setting for setting in similar if upper.startswith(setting)]
    shortened = [setting for setting in SETTINGS if "_" in upper.strip("_") and setting.startswith(upper)]
    return next(iter([*extended, *similar, *shortened]), None)


def _belongs(name: str) -> bool:
    return name in OF_A_GAME_SERVER or name.startswith(PREFIXES_OF_A_GAME_SERVER)
