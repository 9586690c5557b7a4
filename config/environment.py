"""Settings as text: read from an environment, with a clear word about what cannot be used."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

import msgspec

from config.settings import Settings
from config.types import Secret

# Elsewhere an empty value is as good as none; here it turns something off.
MAY_BE_EMPTY = frozenset({"CORS_ORIGINS", "METRICS_FOR", "RATE_LIMIT_EXEMPT"})
BOOLEANS = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}
# Requests a second; fewer would be a refusal for minutes.
SLOWEST = 0.01
LOCATION = re.compile(r"/(?:[A-Za-z0-9._~-]+/)+")
DATABASES = ("mysql", "mysql+aiomysql", "mysql+asyncmy", "sqlite")
REDIS = ("redis", "rediss", "unix")
REPLAYS = ("s3", "file")
WEB = ("http", "https")


class BadSetting(ValueError):
    """A setting has a value that cannot be used; the text names it and says what is accepted."""


def settings_from(environment: Mapping[str, str], folder: Path) -> Settings:
    """The settings in `environment`; names it does not hold, and most that are empty, keep their defaults.

    `folder` is where the settings file lies, to find the data folder beside it. Raises BadSetting.
    """
    values: dict[str, Any] = {}
    for name, kind in get_type_hints(Settings, include_extras=True).items():
        text = environment.get(name.upper(), "").strip()
        if text or name.upper() in MAY_BE_EMPTY & environment.keys():
            values[name] = _value(name.upper(), kind, text)
    data = Path(values.get("data_directory") or folder / ".data")
    values["data_directory"] = str(data if data.is_absolute() else folder / data)
    settings = Settings(**values)
    _check(settings)
    return settings


def _value(name: str, kind: Any, text: str) -> Any:
    base = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if base is Secret:
        return Secret(text)
    value: Any = BOOLEANS.get(text.lower(), text) if base is bool else text
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError:
        raise BadSetting(f"{name}={text!r}: {accepted(kind)} is accepted") from None


def accepted(kind: Any) -> str:
    """What a setting of this type takes, in words."""
    base, meta = get_args(kind)[:2]
    if base is bool:
        return "true or false"
    if get_origin(base) is Literal:
        return "one of " + ", ".join(get_args(base))
    if base in (int, float):
        number = "a whole number" if base is int else "a number"
        low = meta.ge if meta.ge is not None else f"above {meta.gt}"
        return f"{number} from {low} to {meta.le}"
    return "a text"


def _check(settings: Settings) -> None:
    for names, schemes in (
        (("database_url", "db_dsn"), DATABASES),
        (("redis_url", "redis_dsn"), REDIS),
        (("replays_url",), REPLAYS),
        (("aws_endpoint_url_s3", "aws_endpoint_url"), WEB),
    ):
        for name in names:
            if text := getattr(settings, name):
                _check_url(name.upper(), text, schemes)
    _check_addresses(settings)
    if not (settings.rate_limit == 0 or settings.rate_limit >= SLOWEST):
        raise BadSetting(f"RATE_LIMIT: 0 or a number from {SLOWEST} to 100000 is accepted")
    if settings.nginx_replays and not LOCATION.fullmatch(settings.nginx_replays):
        raise BadSetting("NGINX_REPLAYS: a path such as /internal/osr/ is accepted")
    if settings.nginx_replays and settings.replays_url.startswith("s3:"):
        raise BadSetting("NGINX_REPLAYS: nginx has no folder to read from beside REPLAYS_URL=s3://")
    if settings.db_host and not settings.db_name and not settings.database_url and not settings.db_dsn:
        raise BadSetting("DB_NAME: the name of the database is needed beside DB_HOST")


def _check_url(name: str, text: str, schemes: tuple[str, ...]) -> None:
    """Raises BadSetting, which shows neither the text nor a part of it: either may be a password."""
    scheme, separator, _ = text.partition("://")
    if not separator or scheme not in schemes:
        wanted = " or ".join(each + "://" for each in schemes)
        raise BadSetting(f"{name}: a URL that begins with {wanted} is accepted")
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 – reading it checks it
    except ValueError:
        raise BadSetting(
            f"{name}: not a URL; in a user or password write @ as %40, / as %2F, # as %23, % as %25 and so on"
        ) from None
    if schemes is DATABASES and not parts.path.strip("/"):
        raise BadSetting(f"{name}: the URL ends with no name of a database")
    if schemes is REPLAYS and ("@" in parts.netloc or bool(parts.netloc) != (scheme == "s3") or text == "file://"):
        raise BadSetting(f"{name}: s3://bucket/prefix or file:///folder is accepted; keys go into AWS_ settings")


def _check_addresses(settings: Settings) -> None:
    if settings.game_server_url and not _is_origin(settings.game_server_url.rstrip("/")):
        raise BadSetting("GAME_SERVER_URL: http:// or https://, a host and perhaps a port are accepted")
    networks = {"TRUSTED_PROXIES": "proxies", "METRICS_FOR": "metrics_readers", "RATE_LIMIT_EXEMPT": "unlimited"}
    for name, read in networks.items():
        try:
            getattr(settings, read)
        except ValueError as error:
            raise BadSetting(f"{name}: addresses and networks are accepted ({error})") from None
    mirror = settings.beatmap_mirror
    if mirror and not (mirror.startswith(("http://", "https://")) and "{id}" in mirror):
        raise BadSetting("BEATMAP_MIRROR: a URL with {id} in it is accepted, such as https://old.ppy.sh/osu/{id}")
    for origin in settings.origins:
        if origin != "*" and not _is_origin(origin):
            raise BadSetting(f"CORS_ORIGINS: * or origins such as https://example.com are accepted, not {origin}")
    if not all(char.isalnum() or char in ".-" for char in settings.domain):
        raise BadSetting(f"DOMAIN={settings.domain!r}: a name such as example.com is accepted")


def _is_origin(url: str) -> bool:
    """Whether `url` is a scheme, a host and perhaps a port, and nothing else."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and url == f"{parts.scheme}://{parts.netloc}"
        and "@" not in parts.netloc
    )
