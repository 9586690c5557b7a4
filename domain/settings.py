"""Every setting of the service: its name, type, default and meaning, and how it is read from text."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Meta

from domain.players import UNRESTRICTED, VISIBLE

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
DATABASES = ("mysql", "mysql+aiomysql", "mysql+asyncmy", "sqlite")
REDIS = ("redis", "rediss", "unix")


class BadSetting(ValueError):
    """A setting has a value that cannot be used; the text names it and says what is accepted."""


class Secret(str):
    """A text that must not be seen: its repr is eight stars."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'********'"


def about(text: str, **limits: Any) -> Meta:
    """The help line of a setting, and its limits."""
    return Meta(description=text, **limits)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings, each named as its environment variable in lower case."""

    api_host: Annotated[str, about("address this service listens on")] = "127.0.0.1"
    api_port: Annotated[int, about("port this service listens on", ge=1, le=65535)] = 8000
    api_workers: Annotated[int, about("processes that share the port", ge=1, le=64)] = 1
    log_level: Annotated[Literal["debug", "info", "warning", "error"], about("how much is written to the log")] = (
        "info"
    )

    database_url: Annotated[
        Secret, about("database: mysql://, mysql+asyncmy:// or sqlite:///; wins over the DB_ settings")
    ] = Secret()
    db_dsn: Annotated[Secret, about("the older name of DATABASE_URL")] = Secret()
    db_host: Annotated[str, about("host of the MySQL or MariaDB server")] = ""
    db_port: Annotated[int, about("its port", ge=1, le=65535)] = 3306
    db_user: Annotated[str, about("its user")] = ""
    db_pass: Annotated[Secret, about("the user's password")] = Secret()
    db_name: Annotated[str, about("name of the database")] = ""
    db_pool_max: Annotated[int, about("connections at the most, in each worker", ge=1, le=1000)] = 10
    db_pool_wait: Annotated[float, about("seconds a request waits for a connection", gt=0, le=600)] = 2.0
    db_statement_timeout: Annotated[float, about("seconds a statement may run", gt=0, le=600)] = 5.0

    redis_url: Annotated[Secret, about("Redis: redis:// or rediss://; wins over the REDIS_ settings")] = Secret()
    redis_dsn: Annotated[Secret, about("the older name of REDIS_URL")] = Secret()
    redis_host: Annotated[str, about("host of the Redis server; empty: ranks come from the database")] = ""
    redis_port: Annotated[int, about("its port", ge=1, le=65535)] = 6379
    redis_user: Annotated[str, about("its user; used when a password is set too")] = ""
    redis_pass: Annotated[Secret, about("the user's password")] = Secret()
    redis_db: Annotated[int, about("number of the Redis database", ge=0, le=65535)] = 0
    redis_timeout: Annotated[float, about("seconds Redis may take to answer", gt=0, le=60)] = 0.5

    data_directory: Annotated[
        str, about("data folder of the game server; default: .data beside the settings file")
    ] = ""

    show_hidden_players: Annotated[
        bool, about("show restricted and unverified players, as older game servers do")
    ] = False
    show_client_flags: Annotated[
        bool, about("show the anticheat columns client_flags and online_checksum in get_score_info")
    ] = False
    strict_modes: Annotated[bool, about("refuse mode 7 instead of taking it for Autopilot")] = False
    list_limit: Annotated[
        int,
        about("rows of a list that has no limit of its own: search, clan members, pool", ge=1, le=100_000),
    ] = 1000

    @property
    def visible(self) -> int:
        """The privilege bits a player needs to be seen at all."""
        return 0 if self.show_hidden_players else VISIBLE

    @property
    def visible_on_boards(self) -> int:
        """The privilege bits a player needs to appear on leaderboards and boards of beatmaps."""
        return UNRESTRICTED if self.show_hidden_players else VISIBLE

    @property
    def database(self) -> Secret | None:
        """The URL of the database, None when no setting names one."""
        if self.database_url or self.db_dsn:
            return self.database_url or self.db_dsn
        if not self.db_host:
            return None
        login = f"{quote(self.db_user, safe='')}:{quote(self.db_pass, safe='')}"
        return Secret(f"mysql://{login}@{_host(self.db_host)}:{self.db_port}/{quote(self.db_name, safe='')}")

    @property
    def redis(self) -> Secret | None:
        """The URL of Redis, None when no setting names one."""
        if self.redis_url or self.redis_dsn:
            return self.redis_url or self.redis_dsn
        if not self.redis_host:
            return None
        # The game server authenticates only when it has both, so a lone password is no password.
        both = self.redis_user and self.redis_pass
        login = f"{quote(self.redis_user, safe='')}:{quote(self.redis_pass, safe='')}@" if both else ""
        return Secret(f"redis://{login}{_host(self.redis_host)}:{self.redis_port}/{self.redis_db}")


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def read_settings(environment: Mapping[str, str], folder: Path) -> Settings:
    """The settings in `environment`; names it does not hold, and empty ones, keep their defaults.

    `folder` is where the settings file lies, to find the data folder beside it. Raises BadSetting.
    """
    values: dict[str, Any] = {}
    for name, kind in get_type_hints(Settings, include_extras=True).items():
        text = environment.get(name.upper(), "").strip()
        if text:
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
    for names, schemes in ((("database_url", "db_dsn"), DATABASES), (("redis_url", "redis_dsn"), REDIS)):
        for name in names:
            if text := getattr(settings, name):
                _check_url(name.upper(), text, schemes)
    if settings.db_host and not settings.db_name and not settings.database_url and not settings.db_dsn:
        raise BadSetting("DB_NAME: the name of the database is needed beside DB_HOST")


def _check_url(name: str, text: Secret, schemes: tuple[str, ...]) -> None:
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
