"""Turn the texts of variables into settings, and check their values."""

import getpass
import os
import re
import ssl
import stat
from collections.abc import Mapping
from dataclasses import Field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin
from urllib.parse import urlsplit
from zoneinfo import ZoneInfoNotFoundError, available_timezones

import msgspec

from config.database_url import read_options
from config.hosts import is_host, parse_host, socket_path
from config.settings import Settings, all_settings
from config.types import Networks, Secret, comma_separated
from config.urls import (
    CONTROL_CHARACTER,
    DATABASES,
    MYSQL,
    NAME_TOO_LONG,
    REDIS,
    REPLAYS,
    WEB,
    check_url,
    is_origin,
    is_too_long,
)

# An empty value turns these off. For the others, an empty value means the default.
MAY_BE_EMPTY = frozenset({"CORS_ORIGINS", "METRICS_FOR", "RATE_LIMIT_EXEMPT"})
# These may have any characters, blanks at their ends included, since the game server takes them as they are.
VERBATIM = frozenset({"db_pass", "redis_pass"})
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
URLS = {
    "database_url": DATABASES,
    "db_dsn": DATABASES,
    "redis_url": REDIS,
    "redis_dsn": REDIS,
    "replays_url": REPLAYS,
    "aws_endpoint_url_s3": WEB,
    "aws_endpoint_url": WEB,
}
# Settings with a host -> the setting with its port, and the schemes that may stand before it.
HOSTS = {
    "api_host": ("api_port", ("http",)),
    "db_host": ("db_port", ("mysql", "mariadb", "tcp")),
    "redis_host": ("redis_port", ("redis", "tcp")),
}
# Settings that may be the path of a Unix socket.
SOCKETS = ("db_host", "redis_host", "app_host", "server_addr")
# What takes a whole URL instead of a host.
WHOLE_URLS = {"db_host": "DATABASE_URL", "redis_host": "REDIS_URL"}
# The message shows at most so many characters of a value.
SHOWN = 100
# A user and a password before a host, or something that is no port after it.
MAY_HAVE_A_PASSWORD = re.compile(r"@|//[^/]*:(?!\d*(?:/|\Z))")
KINDS = {field.name: field.type for field in all_settings()}


class BadSetting(ValueError):
    """A setting has an invalid value, or the settings file cannot be read. The text can be shown to operators."""


def settings_from(environment: Mapping[str, str | None], folder: Path) -> Settings:
    """Return the settings in `environment`, with defaults for missing names. Raise BadSetting.

    Relative paths of the data folder and of sockets are taken relative to `folder`, and so is the default data
    folder.
    """
    values = _values(environment, folder)
    for name, schemes in URLS.items():
        if url := values.get(name):
            try:
                check_url(url, schemes)
            except ValueError as error:
                raise bad(name.upper(), url, str(error), secret=KINDS[name] is Secret) from None
    _read_database_options(values)
    _read_encryption(values, folder)
    for name, (port, schemes) in HOSTS.items():
        if name in values:
            _read_host(values, name, port, schemes)
    _read_time_zone(values)
    settings = _with_data_folder(Settings(**values), folder / ".data")
    _check_lists(settings)
    _check_web_addresses(settings)
    _check_paths(settings)
    _check_numbers(settings)
    _check_database(settings)
    _check_replicas(settings)
    return settings


def _values(environment: Mapping[str, str | None], folder: Path) -> dict[str, Any]:
    """Return the values of the settings in `environment` by field. Raise BadSetting."""
    values: dict[str, Any] = {}
    for field in all_settings():
        name = field.name.upper()
        text = environment.get(name) or ""
        if field.name not in VERBATIM:
            text = text.strip()
        if text or name in MAY_BE_EMPTY & environment.keys():
            values[field.name] = _value(field, text)
    for name in SOCKETS:
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


def bad(name: str, text: str, accepted: str, *, secret: bool = False) -> BadSetting:
    """Return the error for a value that is not accepted. The message shows the value unless it may be a secret."""
    if secret or MAY_HAVE_A_PASSWORD.search(text):
        return BadSetting(f"{name}: {accepted}")
    shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
    return BadSetting(f"{name}={shown!r}: {accepted}")


def _value(field: Field[Any], text: str) -> Any:
    name, secret = field.name.upper(), field.type is Secret
    if field.name in VERBATIM:
        if not text.isascii() and any(0xD800 <= ord(char) <= 0xDFFF for char in text):
            raise bad(name, text, "expected text in UTF-8", secret=True)
    elif CONTROL_CHARACTER.search(text):
        raise bad(name, text, "expected one line of text in UTF-8", secret=secret)
    if secret:
        return Secret(_lower_scheme(text) if field.name in URLS else text)
    if field.name in URLS or field.name in ("game_server_url", "beatmap_mirror"):
        return _lower_scheme(text)
    value: Any = BOOLEANS.get(text.lower(), text) if field.type is bool else text
    if get_origin(field.type) is Literal:
        value = text.lower()
    limits = msgspec.Meta(**field.metadata["limits"])
    try:
        return msgspec.convert(value, Annotated[field.type, limits], strict=False)
    except msgspec.ValidationError:
        raise bad(name, text, f"expected {accepted(field)}") from None


def _lower_scheme(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"{scheme.lower()}{separator}{rest}"


def _read_host(values: dict[str, Any], name: str, port: str, schemes: tuple[str, ...]) -> None:
    """Replace a text by the host in it, and set the port if one is named. Raise BadSetting."""
    text = values[name]
    if name in SOCKETS and (path := socket_path(text)) is not None:
        if not path.startswith("/"):
            raise bad(name.upper(), text, "expected the absolute path of a socket")
        values[name] = path
        return
    try:
        host = parse_host(text, schemes)
    except ValueError:
        wanted = "expected a host name or an address, perhaps with a port"
        if "://" in text and name in WHOLE_URLS:
            wanted += f"; a whole URL goes into {WHOLE_URLS[name]}"
        raise bad(name.upper(), text, wanted) from None
    if host.port is not None and values.setdefault(port, host.port) != host.port:
        raise bad(name.upper(), text, f"it names another port than {port.upper()}, which is {values[port]}")
    values[name] = host.name


def _read_time_zone(values: dict[str, Any]) -> None:
    text = values.get("time_zone", "")
    try:
        Settings(time_zone=text).zone  # noqa: B018 – raises an error if there is no such time zone
    # ValueError: not the form of a name. OSError: a folder of the time zone database.
    except (ZoneInfoNotFoundError, ValueError, OSError):
        names = {name.lower(): name for name in available_timezones()}
        if text.lower() not in names:
            raise bad("TIME_ZONE", text, "expected a name such as Asia/Tokyo") from None
        values["time_zone"] = names[text.lower()]


def _check_numbers(settings: Settings) -> None:
    rate = settings.rate_limit
    if not (rate == 0 or rate >= LOWEST_RATE_LIMIT):
        raise bad("RATE_LIMIT", f"{rate:g}", f"expected 0 or a number from {LOWEST_RATE_LIMIT} to 100000")


def _check_lists(settings: Settings) -> None:
    for name in ("trusted_proxies", "metrics_for", "rate_limit_exempt"):
        text = getattr(settings, name)
        try:
            Networks(text)
        except ValueError as error:
            raise bad(name.upper(), text, f"expected addresses and networks ({error})") from None
    header = settings.client_address_header
    # Forwarded has parameters beside the address.
    if not HEADER_NAME.fullmatch(header) or header.lower() == "forwarded":
        wanted = "expected a header with nothing but addresses, such as X-Forwarded-For or CF-Connecting-IP"
        raise bad("CLIENT_ADDRESS_HEADER", header, wanted)


def _read_database_options(values: dict[str, Any]) -> None:
    """Replace the options of the database's URL by the settings that they mean. Raise BadSetting."""
    name = next((name for name in ("database_url", "db_dsn") if name in values), None)
    if name is None:
        return
    try:
        url, options = read_options(values[name])
    except ValueError as error:
        raise bad(name.upper(), "", str(error), secret=True) from None
    values[name] = Secret(url)
    for field in all_settings():
        if field.name in options:
            value = _value(field, options[field.name])
            if values.setdefault(field.name, value) != value:
                raise BadSetting(f"{name.upper()}: an option contradicts {field.name.upper()}")


def _check_replicas(settings: Settings) -> None:
    """Raise BadSetting, without a part of the URLs, which have passwords."""
    if settings.replicas and not (settings.database or "").startswith("mysql"):
        raise BadSetting("DATABASE_REPLICA_URL: needs a MySQL or MariaDB database in DATABASE_URL or DB_HOST")
    for url in settings.replicas:
        try:
            check_url(url, MYSQL)
            _, options = read_options(url)
        except ValueError as error:
            accepted = f"{error}; commas separate URLs, write one in a password as %2C"
            raise bad("DATABASE_REPLICA_URL", "", accepted, secret=True) from None
        if options:
            raise BadSetting("DATABASE_REPLICA_URL: takes no options, those of the database count")


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


def _check_web_addresses(settings: Settings) -> None:
    _check_game_server(settings)
    for path in comma_separated(settings.pass_on):
        if not PATH.fullmatch(path):
            raise bad("PASS_ON", path, "expected paths such as /v1/get_leaderboard")
    mirror = settings.beatmap_mirror
    if mirror:
        wanted = "expected a URL with {id} in it, such as https://old.ppy.sh/osu/{id}"
        try:
            check_url(mirror.replace("{id}", "1"), WEB)
        except ValueError:
            raise bad("BEATMAP_MIRROR", mirror, wanted) from None
        if "{id}" not in mirror:
            raise bad("BEATMAP_MIRROR", mirror, wanted)
    for origin in settings.origins:
        if origin != "*" and not is_origin(origin):
            raise bad("CORS_ORIGINS", origin, "expected * or origins such as https://example.com")
    if settings.domain and not (is_host(settings.domain) and ":" not in settings.domain):
        raise bad("DOMAIN", settings.domain, "expected a name such as example.com")


def _check_game_server(settings: Settings) -> None:
    url = settings.game_server_url
    if url and not (url.startswith("unix:/") or is_origin(url.rstrip("/"))):
        wanted = "expected http:// or https://, a host and perhaps a port, or unix:/path/of/socket"
        raise bad("GAME_SERVER_URL", url, wanted)
    try:
        _ = settings.game_server
    except ValueError as error:
        name = "game_server_url" if url else "app_host" if settings.app_host else "server_addr"
        raise bad(name.upper(), getattr(settings, name), str(error)) from None


def _check_paths(settings: Settings) -> None:
    for name in ("data_directory", "pp_python"):
        if is_too_long(Path(getattr(settings, name))):
            raise bad(name.upper(), getattr(settings, name), NAME_TOO_LONG)
    location = settings.nginx_replays
    if location and not NGINX_LOCATION.fullmatch(location):
        raise bad("NGINX_REPLAYS", location, "expected a path such as /internal/osr/")
    if location and settings.replays_url.startswith("s3:"):
        raise bad("NGINX_REPLAYS", location, "nginx has no folder to read from beside REPLAYS_URL=s3://")


def _check_database(settings: Settings) -> None:
    if settings.db_host and not settings.db_name and not settings.database_url and not settings.db_dsn:
        raise BadSetting("DB_NAME: the name of the database is needed beside DB_HOST")
    if settings.database and settings.database.startswith("mysql") and not urlsplit(settings.database).username:
        try:
            # The driver logs in as this user.
            getpass.getuser()
        except (KeyError, OSError):
            raise BadSetting(
                "DB_USER: the user of the database is needed, since this process's user has no name"
            ) from None
