"""Hosts with and without ports, as operators write them."""

import pytest

from config.environment import BadSetting, settings_from
from config.hosts import is_host, parse_host
from config.settings import Settings
from tests.config.test_settings import HERE


def read(**environment: str) -> Settings:
    return settings_from(environment, HERE)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("localhost", ("localhost", None)),
        ("db_1.example.", ("db_1.example.", None)),
        ("127.0.0.1:3306", ("127.0.0.1", 3306)),
        ("::1", ("::1", None)),
        ("0:0:0:0:0:0:0:1", ("::1", None)),
        ("[::1]", ("::1", None)),
        ("[::1]:3306", ("::1", 3306)),
        ("[fe80::1%eth0]:1", ("fe80::1%eth0", 1)),
        ("mysql://db", ("db", None)),
        ("MySQL://127.0.0.1:3306/", ("127.0.0.1", 3306)),
        ("mysql://[::1]:3306", ("::1", 3306)),
        ("bücher.example", ("xn--bcher-kva.example", None)),
    ],
)
def test_hosts(text: str, host: tuple[str, int | None]) -> None:
    assert parse_host(text, ("mysql",)) == host
    assert is_host(host[0])


@pytest.mark.parametrize(
    "text",
    [
        *("", ":", ":3306", "db:", "db:0", "db:65536", "db:3306x", "db:٣", "[::1", "::1]", "[db]", "[]:1"),
        "[::1]3306",
        *("a b", "a..b", ".a", "a" * 64, "a." * 200, "a/b", "user@db", "db?x", "*", "1::2::3", "a:b:c", "a\nb"),
        *("redis://db", "mysql://", "mysql://user@db", "mysql://db/bancho", "mysql://mysql://db", "://db"),
        "db://",
    ],
)
def test_other_text_is_no_host(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_host(text, ("mysql",))
    assert not is_host(text)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "mysql://u:p@127.0.0.1:3306/n"),
        ("127.0.0.1:3307", "mysql://u:p@127.0.0.1:3307/n"),
        ("[::1]", "mysql://u:p@[::1]:3306/n"),
        ("::1", "mysql://u:p@[::1]:3306/n"),
        ("[::1]:3307", "mysql://u:p@[::1]:3307/n"),
        ("mysql://127.0.0.1", "mysql://u:p@127.0.0.1:3306/n"),
        ("mariadb://db:3307", "mysql://u:p@db:3307/n"),
        ("tcp://db", "mysql://u:p@db:3306/n"),
        ("/run/mysqld/mysqld.sock", "mysql://u:p@/n?unix_socket=/run/mysqld/mysqld.sock"),
        ("unix:///run/my sql.sock", "mysql://u:p@/n?unix_socket=/run/my%20sql.sock"),
    ],
)
def test_the_host_of_the_database(host: str, url: str) -> None:
    assert read(DB_HOST=host, DB_USER="u", DB_PASS="p", DB_NAME="n").database == url


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1:6380", "redis://127.0.0.1:6380/2"),
        ("[::1]", "redis://[::1]:6379/2"),
        ("redis://cache", "redis://cache:6379/2"),
        ("tcp://cache:6380", "redis://cache:6380/2"),
        ("/run/redis.sock", "unix:///run/redis.sock?db=2"),
        ("unix:/run/redis.sock", "unix:///run/redis.sock?db=2"),
    ],
)
def test_the_host_of_redis(host: str, url: str) -> None:
    assert read(REDIS_HOST=host, REDIS_DB="2").redis == url


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("[::]", "::", 8000), ("0.0.0.0:9000", "0.0.0.0", 9000), ("http://[::1]:9000", "::1", 9000)],
)
def test_the_host_to_listen_on(text: str, host: str, port: int) -> None:
    settings = read(API_HOST=text)
    assert (settings.api_host, settings.api_port) == (host, port)


def test_a_port_that_is_named_twice() -> None:
    assert read(DB_HOST="db:3307", DB_PORT="3307", DB_NAME="n").db_port == 3307
    with pytest.raises(BadSetting, match=r"DB_HOST='db:3307': it names another port than DB_PORT, which is 3306"):
        read(DB_HOST="db:3307", DB_PORT="3306", DB_NAME="n")
