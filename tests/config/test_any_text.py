"""Whatever text a setting has, it is either read or refused in one line without secrets."""

from pathlib import Path
from urllib.parse import urlsplit

import databases
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from redis.asyncio import ConnectionPool

from api.server import url_of
from config.environment import BadSetting, settings_from
from config.settings import Settings, all_settings
from config.types import Secret
from config.urls import CONTROL_CHARACTER
from storage.redis_client import RedisClient

NAMES = [field.name.upper() for field in all_settings()]
SECRETS = {field.name.upper() for field in all_settings() if field.type is Secret}
SECRET = "geh3im"
# Parts of what is accepted, so that texts go further than the first check.
HOSTS = ["127.0.0.1", "[::1]", "::1", "localhost", "a_b.example", ":3306", "10.0.0.0/8", "user", "пароль"]
SCHEMES = [
    *("mysql://", "sqlite:///", "redis://", "rediss://", "redis+sentinel://", "unix://"),
    *("s3://", "file://", "http://", "https://"),
]
OTHERS = [
    "?ssl=",
    "?db=",
    "unix_socket=",
    "%00",
    "%ff",
    "{id}",
    "true",
    "nan",
    "1e9",
    "Asia/Tokyo",
    "\ud800",
    "\u2028",
]
PARTS = [*HOSTS, *SCHEMES, *OTHERS, *":/@?#&=%*,.-0é[]'\" \n\0"]
TEXTS = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(PARTS), max_size=8).map("".join))


@given(st.sampled_from(NAMES), TEXTS, TEXTS)
@example("DB_HOST", "[", "]")
@example("TIME_ZONE", "../", "x")
@example("DATA_DIRECTORY", "x" * 5000, "")
def test_any_text_in_any_setting(name: str, before: str, after: str) -> None:
    text = before + SECRET + after if name in SECRETS else before + after
    # What a host or a password needs to be used.
    others = {"DB_HOST": "127.0.0.1", "DB_USER": "u", "DB_NAME": "n", "REDIS_HOST": "127.0.0.1", "REDIS_USER": "u"}
    try:
        settings = settings_from(others | {"REDIS_PASS": "p"} | {name: text}, Path("/srv/game"))
    except BadSetting as error:
        message = str(error)
        assert not CONTROL_CHARACTER.search(message)
        assert message.partition("=")[0].partition(":")[0] in {*NAMES, "DB_POOL_MAX"}
        assert SECRET not in message
        return
    _use(settings)
    if name == "DB_PASS":
        assert databases.DatabaseURL(settings.database or "").password == (text or None)
    if name == "REDIS_PASS" and text:
        assert ConnectionPool.from_url(settings.redis or "").connection_kwargs["password"] == text


def _use(settings: Settings) -> None:
    """Use the settings as the service does, as far as that is possible without connecting."""
    for url in filter(None, (settings.database, settings.redis, settings.game_server)):
        urlsplit(url)
    database = databases.DatabaseURL(settings.database or "")
    assert (database.hostname or database.database) is not None
    assert database.port is None or 1 <= database.port <= 65535
    if settings.redis:
        RedisClient(settings.redis, timeout=1.0)
    _ = settings.zone, settings.origins
    urlsplit(url_of(settings.api_host, settings.api_port))
    Path(settings.data_directory).is_dir()
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    "password", ["пароль", "pässword", "a b", " blank ", "@:/?#%&=[]'\"\\", "%41", "line\nbreak"]
)
def test_a_password_may_have_any_characters(password: str) -> None:
    parts = {"DB_HOST": "h", "DB_USER": "u", "DB_NAME": "n", "DB_PASS": password}
    settings = settings_from(parts | {"REDIS_HOST": "h", "REDIS_USER": "u", "REDIS_PASS": password}, Path("/srv"))
    assert databases.DatabaseURL(settings.database or "").password == password
    assert ConnectionPool.from_url(settings.redis or "").connection_kwargs["password"] == password
