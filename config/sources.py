"""Read the settings from the environment and the settings file, and decide whether the demo world is meant."""

import logging
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from config.environment import MAY_BE_EMPTY, BadSetting, bad, settings_from
from config.names import meant_by, of_a_game_server
from config.settings import Settings

# Names the settings file; an environment variable, since each worker reads the settings again.
ENV_FILE = "APIDOT_ENV_FILE"
# Set for `serve --demo`, and for its workers.
DEMO = "APIDOT_DEMO"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MAX_FILE_BYTES = 2**20
# Folders for the demo world, below the current one. The first that is not the game server's data folder is used.
DEMO_FOLDERS = (".data", ".demo")
ONLY_WITH_DATA = ("REPLAYS_URL", "NGINX_REPLAYS")


class _Source(NamedTuple):
    """The variables of the environment and the settings file, and the folder of the file."""

    values: dict[str, str | None]
    # Those without a value, too.
    names: set[str]
    folder: Path
    # Lines for operators: what looks like a setting and is not used.
    unused: list[str]


# What python-dotenv would log about lines of the settings file is said by the start and `check`.
logging.getLogger("dotenv").setLevel(logging.ERROR)


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings from the environment, then from the file named by ENV_FILE, then the defaults.

    They are those of the demo world, which have no database, if DEMO is set, or if neither a settings file nor any
    variable of a game server is given. Raise BadSetting, also if the database is missing otherwise.
    """
    source = _read_source(environ)
    given = of_a_game_server(source.names)
    if environ.get(DEMO):
        settings = _demo_settings(source, given)
    else:
        settings = settings_from(source.values, source.folder)
        if settings.database is None and (given or environ.get(ENV_FILE)):
            raise _no_database(source, given)
    return replace(settings, unused=tuple(source.unused))


def _read_source(environ: Mapping[str, str]) -> _Source:
    named = environ.get(ENV_FILE)
    file = Path(named or ".env")
    text = _read_file(file, must_exist=bool(named))
    unused = []
    names = set(environ)
    for binding in parse_stream(StringIO(text)):
        if binding.key and not binding.error and binding.value is not None and NAME.fullmatch(binding.key):
            continue
        if binding.key or binding.error:
            # The text of the line may have a password in it.
            unused.append(f"{file}: line {binding.original.line} is not NAME=value, and is ignored")
            names |= set(NAME.findall(binding.original.string.lstrip().removeprefix("export "))[:1])
    values = {name: value for name, value in dotenv_values(stream=StringIO(text)).items() if NAME.fullmatch(name)}
    names |= values.keys()
    # An empty variable does not hide the value in the file.
    values |= {name: value for name, value in environ.items() if value or name in MAY_BE_EMPTY}
    names = {name for name in names if NAME.fullmatch(name)}
    unused += [f"{name}: did you mean {meant}?" for name in sorted(names) if (meant := meant_by(name))]
    return _Source(values, names, file.resolve().parent, unused)


def _read_file(file: Path, *, must_exist: bool) -> str:
    """Return the text of the settings file, "" if it need not exist and does not. Raise BadSetting."""
    try:
        # A pipe could be read once, but each worker reads the settings.
        if not stat.S_ISREG(file.stat().st_mode):
            raise BadSetting(f"{file}: is not a file; --env names another settings file")
        with file.open("rb") as stream:
            content = stream.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise BadSetting(f"{file}: is larger than {MAX_FILE_BYTES} bytes")
        # Windows editors begin a file with a byte order mark.
        return content.decode("utf-8-sig")
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not must_exist:
            return ""
        raise BadSetting(f"{file}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise BadSetting(f"{file}: cannot be read ({error})") from None


def _demo_settings(source: _Source, given: list[str]) -> Settings:
    """Return the settings without those of a game server, and with a data folder that is not the game server's.

    Raise BadSetting.
    """
    kept = {name: value for name, value in source.values.items() if name not in {*given, *ONLY_WITH_DATA}}
    configured = source.values.get("DATA_DIRECTORY")
    for name in DEMO_FOLDERS:
        folder = Path.cwd() / name
        if not (configured and _is_below(folder / "demo", source.folder / configured)):
            return replace(settings_from(kept, Path.cwd()), data_directory=str(folder))
    raise bad("DATA_DIRECTORY", configured or "", "another folder than one in which `serve --demo` is run")


def _is_below(path: Path, folder: Path) -> bool:
    try:
        return path.resolve().is_relative_to(folder.resolve())
    # Not a path, or not one that this user may follow.
    except (OSError, ValueError):
        return False


def _no_database(source: _Source, given: list[str]) -> BadSetting:
    missing = [name for name in ("DB_HOST", "DB_USER", "DB_NAME") if not source.values.get(name)]
    notes = "".join(f"{note}; " for note in source.unused)
    names = ", ".join([*given[:5], "…"] if len(given) > 5 else given)
    why = f"these are set: {names}" if given else "a settings file is named"
    return BadSetting(
        f"no database is configured: DATABASE_URL, or {', '.join(missing)}, is missing; {notes}the demo world is"
        f" served only with `serve --demo`, or if nothing names a game server, but {why}"
    )
