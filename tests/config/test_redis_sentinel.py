"""URLs of a Redis that sentinels watch."""

import pytest

from config.environment import BadSetting
from config.redis_sentinel import SentinelURL, parse_sentinel_url
from storage.redis_client import RedisClient, _sentinel
from tests.config.test_settings import read

FULL = (
    "redis+sentinel://u%40:p%2C:w@one:1,two,[::1]:3/my%20master/2"
    "?ssl_cert_reqs=none&sentinel_password=s%26&sentinel_username=me"
)


def test_the_parts_of_a_url() -> None:
    assert parse_sentinel_url("redis://one:1/0") is None
    assert parse_sentinel_url(FULL) == SentinelURL(
        sentinels=[("one", 1), ("two", 26379), ("::1", 3)],
        service="my master",
        redis="redis://u%40:p%2C:w@one:1/2?ssl_cert_reqs=none",
        login={"username": "me", "password": "s&"},
    )
    encrypted = parse_sentinel_url("rediss+sentinel://one/master")
    assert encrypted is not None
    assert encrypted.redis == "rediss://one:26379/"


def test_passwords_are_not_shown() -> None:
    client = RedisClient("redis+sentinel://u:geheim@one,two/master/3?sentinel_password=secret", timeout=1.0)
    assert client.reason(Exception("geheim or secret")) == "*** or ***"
    assert client.database == 3


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("redis+sentinel://h", "the name of the service that the sentinels watch is missing"),
        ("redis+sentinel:///master", "sentinels are hosts"),
        ("redis+sentinel://a,,b/master", "sentinels are hosts"),
        ("redis+sentinel://a:0/master", "sentinels are hosts"),
        ("redis+sentinel://geheim:a:b/master", "sentinels are hosts"),
        ("redis+sentinel://a/master/x", "the URL ends with the number of a database"),
        ("redis+sentinel://a/master/0?geheim=1", "the option geheim is not known"),
        ("redis+sentinel://a/master/0?ssl_cert_reqs=none", "the option ssl_cert_reqs needs rediss://"),
    ],
)
def test_what_is_wrong_is_said(url: str, wanted: str) -> None:
    with pytest.raises(BadSetting, match=f"^REDIS_URL: {wanted}"):
        read(redis_url=url)


DATABASE = {"database_url": "mysql://u:p@h/n"}


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"database_replica_url": "mysql://u:geheim@h/n"}, "needs a MySQL or MariaDB database"),
        ({"database_url": "sqlite:///a", "database_replica_url": "mysql://h/n"}, "needs a MySQL or MariaDB"),
        (DATABASE | {"database_replica_url": "sqlite:///a"}, "a URL that begins with mysql://"),
        (DATABASE | {"database_replica_url": "mysql://h/n,geheim@b/n"}, "a URL that begins with mysql://"),
        (DATABASE | {"database_replica_url": "mysql://h"}, "the URL ends with no name of a database"),
        (DATABASE | {"database_replica_url": "mysql://h/n?ssl=required"}, "takes no options"),
        (DATABASE | {"database_replica_url": "mysql://h/n?geheim=1"}, "the option geheim"),
    ],
)
def test_replicas_that_are_not_accepted(settings: dict[str, str], wanted: str) -> None:
    with pytest.raises(BadSetting, match=f"^DATABASE_REPLICA_URL: .*{wanted}"):
        read(**settings)


def test_replicas() -> None:
    urls = "mysql://a/n , mysql+asyncmy://u:p%2Cw@b:3307/n,"
    assert read(**DATABASE, database_replica_url=urls).replicas == [
        "mysql://a/n",
        "mysql+asyncmy://u:p%2Cw@b:3307/n",
    ]
    assert read(**DATABASE).replicas == []


def test_sentinels_have_the_encryption_of_redis() -> None:
    watched = parse_sentinel_url("rediss+sentinel://one,two/master/0?ssl_cert_reqs=none")
    assert watched is not None
    for sentinel in _sentinel(watched, timeout=1.0).sentinels:
        options = sentinel.connection_pool.connection_kwargs
        assert options["ssl_cert_reqs"] == "none"
