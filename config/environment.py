"""Read the settings from the environment and the settings file, and check their values."""

import os
import re
import ssl
import stat
from collections.abc import Mapping
from dataclasses import Field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin
from urllib.parse import urlsplit
from zoneinfo import ZoneInfoNotFoundError

import msgspec
from dotenv import dotenv_values

from config.database_url import read_options
from config.settings import Settings, all_settings
from config.types import Networks, Secret, comma_separated

# Names the settings file; an environment variable, since each worker reads the settings again.
ENV_FILE = "APIDOT_ENV_FILE"
# An empty value turns these off. For the others, an empty value means the default.
MAY_BE_EMPTY = frozenset({"CORS_ORIGINS", "METRICS_FOR", "RATE_LIMIT_EXEMPT"})
# msgspec converts true, false, 1 and 0.
BOOLEANS = {"yes": True, "on": True, "no": False, "off": False}
# Requests per second. With a lower limit, a client would have to wait for minutes.
LOWEST_RATE_LIMIT = 0.01
PATH = re.compile(r"/[\w.~!$&'()*+;=:@{}/-]*", re.ASCII)
NGINX_LOCATION = re.compile(r"/(?:[A-Za-z0-9._~-]+/)+")
# RFC 9110 §5.6.2.
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
# In the settings file that bancho.py ships.
EXAMPLE_DATA_DIRECTORY = Path("/home/user/bancho.py/.data")
DATABASES = ("mysql", "mysql+aiomysql", "mysql+asyncmy", "sqlite")
REDIS = ("redis", "rediss", "unix")
REPLAYS = ("s3", "file")
WEB = ("http", "https")
URLS = {
    "database_url": DATABASES,
    "db_dsn": DATABASES,
    "redis_url": REDIS,
    "redis_dsn": REDIS,
    "replays_url": REPLAYS,
    "aws_endpoint_url_s3": WEB,
    "aws_endpoint_url": WEB,
}


class BadSetting(ValueError):
    """A setting has an invalid value, or the settings file cannot be read. The text can be shown to operators."""


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings from the environment, then from the file named by ENV_FILE, then the defaults.

    Raise BadSetting.
    """
    file = Path(environ.get(ENV_FILE, ".env"))
    try:
        # Windows editors begin a file with a byte order mark. A file that does not exist is an empty one.
        from_file = dotenv_values(file, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"{file}: cannot be read ({error})") from None
    from_environment = {name: value for name, value in environ.items() if value or name in MAY_BE_EMPTY}
    return settings_from(from_file | from_environment, file.resolve().parent)


def settings_from(environment: Mapping[str, str | None], folder: Path) -> Settings:
    """Return the settings in `environment`, with defaults for missing names. Raise BadSetting.

    Relative paths of the data folder and the game server's socket are taken relative to `folder`, and so is the
    default data folder.
    """
    values = _values(environment, folder)
    for name, schemes in URLS.items():
        if url := values.get(name):
            _check_url(name.upper(), url, schemes)
    _read_database_options(values)
    _read_encryption(values, folder)
    settings = _with_data_folder(Settings(**values), folder / ".data")
    for name in ("trusted_proxies", "metrics_for", "rate_limit_exempt"):
        try:
            Networks(getattr(settings, name))
        except ValueError as error:
            raise BadSetting(f"{name.upper()}: addresses and networks are accepted ({error})") from None
    _check_web_addresses(settings)
    header = settings.client_address_header
    # Forwarded has parameters beside the address.
    if not HEADER_NAME.fullmatch(header) or header.lower() == "forwarded":
        raise BadSetting(
            f"CLIENT_ADDRESS_HEADER={header!r}: a header with nothing but addresses is accepted, such as"
            " X-Forwarded-For or CF-Connecting-IP"
        )
    if not (settings.rate_limit == 0 or settings.rate_limit >= LOWEST_RATE_LIMIT):
        raise BadSetting(f"RATE_LIMIT: 0 or a number from {LOWEST_RATE_LIMIT} to 100000 is accepted")
    if settings.nginx_replays and not NGINX_LOCATION.fullmatch(settings.nginx_replays):
        raise BadSetting("NGINX_REPLAYS: a path such as /internal/osr/ is accepted")
    if settings.nginx_replays and settings.replays_url.startswith("s3:"):
        raise BadSetting("NGINX_REPLAYS: nginx has no folder to read from beside REPLAYS_URL=s3://")
    try:
        _ = settings.zone
    # ValueError: not the form of a name. OSError: a folder of the time zone database.
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadSetting(f"TIME_ZONE={settings.time_zone!r}: a name such as Asia/Tokyo is accepted") from None
    if settings.db_host and not settings.db_name and not settings.database_url and not settings.db_dsn:
        raise BadSetting("DB_NAME: the name of the database is needed beside DB_HOST")
    return settings


def _values(environment: Mapping[str, str | None], folder: Path) -> dict[str, Any]:
    """Return the values of the settings in `environment` by field. Raise BadSetting."""
    values: dict[str, Any] = {}
    for field in all_settings():
        name = field.name.upper()
        text = (environment.get(name) or "").strip()
        if text or name in MAY_BE_EMPTY & environment.keys():
            values[field.name] = _value(field, text)
    for name in ("app_host", "server_addr"):
        # Not a URL: the path of a socket, which a game server takes relative to its own folder.
        if values.get(name, "").endswith(".sock") and ":" not in values[name]:
            values[name] = str(folder / values[name])
    values["data_directory"] = str(folder / (values.get("data_directory") or ".data"))
    return values


def _with_data_folder(settings: Settings, default: Path) -> Settings:
    """Return the settings with the `default` data folder if it has replays and the configured one is not usable.

    The game server keeps its data in .data in its folder, whatever DATA_DIRECTORY is.
    """
    configured = settings.data_directory
    is_example = Path(configured) == EXAMPLE_DATA_DIRECTORY
    is_usable = os.path.isdir(configured) and not is_example
    if is_usable or Path(configured) == default or not os.path.isdir(default / "osr"):
        return settings
    reason = "is an example of bancho.py" if is_example else "does not exist"
    note = f"DATA_DIRECTORY={configured} {reason}, so the folder beside the settings file is used: {default}"
    return replace(settings, data_directory=str(default), notes=(*settings.notes, note))


def _value(field: Field[Any], text: str) -> Any:
    if field.type is Secret:
        return Secret(text)
    value: Any = BOOLEANS.get(text.lower(), text) if field.type is bool else text
    limits = msgspec.Meta(**field.metadata["limits"])
    try:
        return msgspec.convert(value, Annotated[field.type, limits], strict=False)
    except msgspec.ValidationError:
        raise BadSetting(f"{field.name.upper()}={text!r}: {accepted(field)} is accepted") from None


def _read_database_options(values: dict[str, Any]) -> None:
    """Replace the options of the database's URL by the settings that they mean. Raise BadSetting."""
    name = next((name for name in ("database_url", "db_dsn") if name in values), None)
    if name is None:
        return
    try:
        url, options = read_options(values[name])
    except ValueError as error:
        raise BadSetting(f"{name.upper()}: {error}") from None
    values[name] = Secret(url)
    for field in all_settings():
        if field.name in options:
            value = _value(field, options[field.name])
            if values.setdefault(field.name, value) != value:
                raise BadSetting(f"{name.upper()}: an option contradicts {field.name.upper()}")


def _read_encryption(values: dict[str, Any], folder: Path) -> None:
    """Set db_ssl from other settings if it is not set, and check the file with certificates. Raise BadSetting."""
    authorities = values.get("db_ssl_ca")
    if authorities:
        if values.setdefault("db_ssl", "verify") != "verify":
            raise BadSetting(f"DB_SSL_CA: only DB_SSL=verify uses it, but DB_SSL is {values['db_ssl']}")
        values["db_ssl_ca"] = str(folder / authorities)
        _check_certificates(Path(values["db_ssl_ca"]))
    elif values.get("db_use_ssl"):
        values.setdefault("db_ssl", "preferred")


def _check_certificates(file: Path) -> None:
    try:
        # A pipe would be read without end.
        if not stat.S_ISREG(file.stat().st_mode):
            raise BadSetting(f"DB_SSL_CA: {file} is not a file")
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except ssl.SSLError:
        raise BadSetting(f"DB_SSL_CA: {file} has no certificate in PEM format") from None
    except OSError as error:
        raise BadSetting(f"DB_SSL_CA: {file} cannot be read ({error.strerror})") from None


def accepted(field: Field[Any]) -> str:
    """Describe the values that a setting accepts, as in "a number from 0 to 600"; "" for any text."""
    base: Any = field.type
    limits = field.metadata["limits"]
    if base is bool:
        return "true or false"
    if get_origin(base) is Literal:
        return "one of " + ", ".join(get_args(base))
    if base in (int, float):
        number = "a whole number" if base is int else "a number"
        low = limits["ge"] if "ge" in limits else f"above {limits['gt']}"
        return f"{number} from {low} to {limits['le']}"
    return ""


def _check_url(name: str, url: str, schemes: tuple[str, ...]) -> None:
    """Raise BadSetting for an invalid URL. The message shows no part of it, since any part may be a password."""
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in schemes:
        wanted = " or ".join(f"{scheme}://" for scheme in schemes)
        raise BadSetting(f"{name}: a URL that begins with {wanted} is accepted")
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 – raises ValueError if the port is invalid
    except ValueError:
        raise BadSetting(
            f"{name}: not a URL; in a user or password write @ as %40, / as %2F, # as %23, % as %25 and so on"
        ) from None
    if schemes is DATABASES and not parts.path.strip("/"):
        raise BadSetting(f"{name}: the URL ends with no name of a database")
    if schemes is REPLAYS and ("@" in parts.netloc or bool(parts.netloc) != (scheme == "s3") or url == "file://"):
        raise BadSetting(f"{name}: s3://bucket/prefix or file:///folder is accepted; keys go into AWS_ settings")


def _check_web_addresses(settings: Settings) -> None:
    _check_game_server(settings)
    for path in comma_separated(settings.pass_on):
        if not PATH.fullmatch(path):
            raise BadSetting(f"PASS_ON: paths such as /v1/get_leaderboard are accepted, not {path!r}")
    mirror = settings.beatmap_mirror
    if mirror and not (mirror.startswith(("http://", "https://")) and "{id}" in mirror):
        raise BadSetting("BEATMAP_MIRROR: a URL with {id} in it is accepted, such as https://old.ppy.sh/osu/{id}")
    for origin in settings.origins:
        if origin != "*" and not _is_origin(origin):
            raise BadSetting(f"CORS_ORIGINS: * or origins such as https://example.com are accepted, not {origin}")
    if not all(char.isalnum() or char in ".-" for char in settings.domain):
        raise BadSetting(f"DOMAIN={settings.domain!r}: a name such as example.com is accepted")


def _check_game_server(settings: Settings) -> None:
    url = settings.game_server_url
    if url and not (url.startswith("unix:/") or _is_origin(url.rstrip("/"))):
        raise BadSetting(
            "GAME_SERVER_URL: http:// or https://, a host and perhaps a port are accepted, or unix:/path/of/socket"
        )
    try:
        _ = settings.game_server
    except ValueError as error:
        name = "GAME_SERVER_URL" if url else "APP_HOST" if settings.app_host else "SERVER_ADDR"
        raise BadSetting(f"{name}: {error}") from None


def _is_origin(url: str) -> bool:
    """Return whether `url` consists of http:// or https://, a host and optionally a port, and nothing else."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 – raises ValueError if the port is invalid
    except ValueError:
        return False
    return (
        parts.scheme in WEB
        and bool(parts.hostname)
        and url == f"{parts.scheme}://{parts.netloc}"
        and "@" not in parts.netloc
    )
