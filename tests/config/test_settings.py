"""Reading the settings: sources, invalid values, and that secrets stay secret."""

import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import databases
import pytest

from config.environment import MAY_BE_EMPTY, SHOWN, VERBATIM, BadSetting, settings_from
from config.settings import Settings, all_settings
from config.sources import ENV_FILE, load_settings
from config.types import Networks, Secret
from demo.settings import in_demo_world
from tests.support.certificates import Authority

HERE = Path("/srv/game")
KINDS = {field.name: field.type for field in all_settings()}
# The settings file that bancho.py ships, filled in by an operator.
STOCK = """\
APP_HOST=0.0.0.0
APP_PORT=10000
SERVER_ADDR=0.0.0.0
DOMAIN=example.com
DB_HOST=localhost
DB_PORT=3306
DB_USER=cmyui
DB_PASS="p@ss:w/rd%40 #1"
DB_NAME=bancho
REDIS_HOST=localhost
REDIS_PORT=6379
REDIS_USER=default
REDIS_PASS=passwd
REDIS_DB=0
OSU_API_KEY=
DATA_DIRECTORY=.data
COMMAND_PREFIX=!
DEBUG=False
"""


def read(**environment: str) -> Settings:
    return settings_from({name.upper(): value for name, value in environment.items()}, HERE)


def another(name: str) -> tuple[str, Any]:
    """Return a text for a setting and the value that it stands for, other than the default."""
    base = KINDS[name]
    default = getattr(Settings(), name)
    if base is bool:
        return str(not default).lower(), not default
    if get_origin(base) is Literal:
        last = get_args(base)[-1]
        return last, last
    if base in (int, float):
        return str(default + 1), default + 1
    text = {
        "api_host": "a.example",
        "database_url": "sqlite:///a",
        "db_dsn": "sqlite:///a",
        "database_replica_url": "mysql://a/n",
        "redis_url": "redis://a",
        "redis_dsn": "unix:///a",
        "game_server_url": "http://a:1",
        "domain": "a.example",
        "trusted_proxies": "10.0.0.0/8",
        "client_address_header": "CF-Connecting-IP",
        "metrics_for": "10.0.0.0/8",
        "cors_origins": "https://a.example",
        "rate_limit_exempt": "10.0.0.0/8",
        "replays_url": "s3://a",
        "time_zone": "Asia/Tokyo",
        "nginx_replays": "/some/where/",
        "aws_endpoint_url_s3": "http://a",
        "aws_endpoint_url": "https://a",
        "beatmap_mirror": "https://mirror/{id}",
    }
    return (text.get(name, "/some/text"),) * 2


@pytest.mark.parametrize("name", KINDS)
def test_every_setting_is_read(name: str, tmp_path: Path) -> None:
    text, value = another(name)
    if name == "db_ssl_ca":
        text = value = str(Authority(tmp_path).file)
    needed = {"db_host": {"db_name": "n"}, "database_replica_url": {"db_dsn": "mysql://b/n"}}.get(name, {})
    if name in VERBATIM:
        value = f" {text} "
    assert getattr(read(**needed, **{name: f" {text} "}), name) == value
    if name.upper() not in MAY_BE_EMPTY and name not in VERBATIM:
        assert getattr(read(**{name: " "}), name) == getattr(read(), name)
    assert read(**{name.title() + "_": text}) == read()


def test_defaults() -> None:
    settings = read()
    assert (settings.api_host, settings.api_port, settings.api_workers) == ("127.0.0.1", 8000, 1)
    assert (settings.database, settings.redis) == (None, None)
    assert settings.data_directory == "/srv/game/.data"
    assert (settings.visible, settings.visible_on_boards) == (3, 3)
    shown = read(show_hidden_players="true")
    assert (shown.visible, shown.visible_on_boards) == (0, 1)


@pytest.mark.parametrize(
    ("name", "text", "accepted"),
    [
        ("api_port", "0", "a whole number from 1 to 65535"),
        ("api_port", "65536", "a whole number from 1 to 65535"),
        ("api_port", "eighty", "a whole number from 1 to 65535"),
        ("api_port", "9" * 5000, "a whole number from 1 to 65535"),
        ("db_port", "-1", "a whole number from 1 to 65535"),
        ("api_workers", "2.5", "a whole number from 1 to 64"),
        ("db_pool_max", "0", "a whole number from 1 to 1000"),
        ("db_pool_wait", "nan", "a number from above 0 to 600"),
        ("db_statement_timeout", "0", "a number from above 0 to 600"),
        ("redis_timeout", "inf", "a number from above 0 to 60"),
        ("log_level", "loud", "one of debug, info, warning, error"),
        ("log_format", "xml", "one of text, json"),
        ("access_log", "perhaps", "true or false"),
        ("slow_statement", "-1", "a number from 0 to 600"),
        ("strict_modes", "maybe", "true or false"),
        ("list_limit", "null", "a whole number from 1 to 100000"),
    ],
)
def test_the_message_about_a_bad_value_names_the_setting(name: str, text: str, accepted: str) -> None:
    with pytest.raises(BadSetting) as caught:
        read(**{name: text})
    shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
    assert str(caught.value) == f"{name.upper()}={shown!r}: expected {accepted}"


@pytest.mark.parametrize("name", ["trusted_proxies", "metrics_for"])
@pytest.mark.parametrize("text", ["everybody", "10.0.0.1/8", "127.0.0.1;::1"])
def test_the_message_about_a_bad_network_names_the_setting(name: str, text: str) -> None:
    with pytest.raises(BadSetting, match=rf"^{name.upper()}='{re.escape(text)}': expected addresses and networks"):
        read(**{name: text})


def test_an_empty_metrics_for_means_no_network() -> None:
    assert read(metrics_for="").metrics_for == ""


@pytest.mark.parametrize("text", ["true", "1", "YES", "on", "False", "0", "no", "oFF"])
def test_booleans(text: str) -> None:
    assert read(strict_modes=text).strict_modes is (text.lower() in ("true", "1", "yes", "on"))


@pytest.mark.parametrize("name", ["database_url", "db_dsn", "redis_url", "redis_dsn"])
@pytest.mark.parametrize(
    "url",
    [
        "postgres://root:geheim@host/name",
        "root:geheim@host/name",
        "geheim",
        "{scheme}://root:geheim#1@host/name",
        "{scheme}://root:geheim/1@host/name",
        "{scheme}://root:geheim?1@host/name",
        "{scheme}://root:[geheim@host/name",
        "{scheme}://root:geheim@host:port/name",
        "{scheme}://root:geheim@host:99999/name",
    ],
)
def test_the_message_about_a_bad_url_names_the_setting_and_does_not_show_the_url(name: str, url: str) -> None:
    with pytest.raises(BadSetting) as caught:
        read(**{name: url.format(scheme="redis" if name.startswith("redis") else "mysql")})
    assert str(caught.value).startswith(f"{name.upper()}: ")
    assert "geheim" not in str(caught.value)


def test_a_database_needs_a_name() -> None:
    for environment in (
        {"db_host": "host"},
        {"database_url": "mysql://host"},
        {"db_dsn": "mysql://root:geheim@host/"},
    ):
        with pytest.raises(BadSetting, match="name") as caught:
            read(**environment)
        assert "geheim" not in str(caught.value)


def test_urls_take_precedence_over_parts_and_new_names_over_old_ones() -> None:
    parts = {"db_host": "parts", "db_name": "n", "redis_host": "parts"}
    old = parts | {"db_dsn": "mysql://old/n", "redis_dsn": "redis://old"}
    new = old | {"database_url": "mysql+asyncmy://new/n", "redis_url": "rediss://new"}
    assert (read(**parts).database, read(**parts).redis) == ("mysql://:@parts:3306/n", "redis://parts:6379/0")
    assert (read(**old).database, read(**old).redis) == ("mysql://old/n", "redis://old")
    assert (read(**new).database, read(**new).redis) == ("mysql+asyncmy://new/n", "rediss://new")
    assert read(db_host="host", db_dsn="mysql://old/n").database == "mysql://old/n"


@pytest.mark.parametrize("password", ["p@ss:w/rd%40 #1?&+", "%25", "ключ試", "[x]", "a b"])
@pytest.mark.parametrize("host", ["localhost", "10.0.0.1", "::1", "fe80::1"])
def test_special_characters_survive_in_the_url(password: str, host: str) -> None:
    settings = read(db_host=host, db_user="us@er", db_pass=password, db_name="na/me", db_port="3307")
    url = databases.DatabaseURL(settings.database or "")
    assert (url.hostname, url.port, url.username) == (host, 3307, "us@er")
    assert (url.password, url.database) == (password, "na/me")


def test_redis_needs_both_a_user_and_a_password_to_log_in() -> None:
    assert read(redis_host="::1", redis_user="u:", redis_pass="p@").redis == "redis://u%3A:p%40@[::1]:6379/0"
    assert read(redis_host="h", redis_pass="p").redis == read(redis_host="h", redis_user="u").redis
    assert read(redis_host="h", redis_db="3").redis == "redis://h:6379/3"


def test_secrets_stay_secret() -> None:
    hidden = {"database_url", "db_dsn", "db_pass", "database_replica_url", "redis_url", "redis_dsn", "redis_pass"}
    hidden |= {"aws_access_key_id", "aws_secret_access_key", "aws_session_token"}
    assert {name for name, kind in KINDS.items() if kind is Secret} == hidden
    urls = {"database_url": "mysql://u:geheim@h/n", "redis_url": "redis://:geheim@h"}
    urls |= {"db_dsn": urls["database_url"], "redis_dsn": urls["redis_url"]}
    urls["database_replica_url"] = "mysql://u:geheim@a/n,mysql://u:geheim@b/n"
    settings = read(db_pass="geheim", redis_pass="geheim", **urls)
    parts = read(db_host="h", db_name="n", db_pass="geheim", redis_host="h", redis_user="u", redis_pass="geheim")
    for read_settings in (settings, parts):
        assert "geheim" not in repr(read_settings) + repr([read_settings.database, read_settings.redis])
        assert "geheim" in (read_settings.database or "")


def loaded(file: Path, **environment: str) -> Settings:
    return load_settings({ENV_FILE: str(file), "DATABASE_URL": "sqlite:///a", **environment})


def test_the_stock_file_of_the_game_server(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(STOCK)
    settings = load_settings({ENV_FILE: str(file)})
    assert settings.unused == ()
    assert (settings.api_host, settings.api_port) == ("127.0.0.1", 8000)
    assert settings.database == "mysql://cmyui:p%40ss%3Aw%2Frd%2540%20%231@localhost:3306/bancho"
    assert settings.redis == "redis://default:passwd@localhost:6379/0"
    assert settings.data_directory == str(tmp_path / ".data")


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfAPI_PORT=9000\nDB_NAME='a b'\n",
        b'API_PORT=9000\r\nDB_NAME="a b"\r\n',
        b"\xef\xbb\xbf# all of it\r\n\r\nexport API_PORT = 9000 # ours\r\nDB_NAME=a b\r\n",
    ],
)
def test_files_as_editors_write_them(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_bytes(content)
    settings = loaded(file)
    assert (settings.api_port, settings.db_name) == (9000, "a b")


def test_the_environment_takes_precedence_over_the_file_and_the_file_over_defaults(tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_text("API_PORT=9000\nAPI_WORKERS=3\nLOG_LEVEL=debug\nSTRICT_MODES\n")
    settings = loaded(file, API_PORT="9001", LOG_LEVEL="", DATA_DIRECTORY="elsewhere")
    assert (settings.api_port, settings.api_workers, settings.log_level) == (9001, 3, "debug")
    assert settings.data_directory == str(tmp_path / "elsewhere")
    assert loaded(file, DATA_DIRECTORY="/abs").data_directory == "/abs"


def test_the_folder_of_the_demo_world_may_have_any_name(tmp_path: Path) -> None:
    settings = in_demo_world(read(data_directory=str(tmp_path / "a b#c?d%20é")))
    url = databases.DatabaseURL(settings.database or "")
    assert Path(url.database) == tmp_path / "a b#c?d%20é" / "demo" / "world.sqlite"


@pytest.mark.parametrize(
    "text", ["internal/osr/", "/internal/osr", "/", "//x/", "/a b/", "/a/../b?/", "http://x/"]
)
def test_nginx_replays_must_be_a_path(text: str) -> None:
    with pytest.raises(BadSetting, match=r"NGINX_REPLAYS='.*': expected a path such as /internal/osr/"):
        read(nginx_replays=text)


def test_nginx_replays_cannot_be_combined_with_a_bucket() -> None:
    with pytest.raises(BadSetting, match="REPLAYS_URL"):
        read(nginx_replays="/internal/osr/", replays_url="s3://bucket/replays")


@pytest.mark.parametrize("text", ["https://mirror/osu/", "ftp://mirror/{id}", "mirror/{id}", "{id}"])
def test_the_mirror_must_be_a_url_with_the_id_in_it(text: str) -> None:
    with pytest.raises(BadSetting, match="BEATMAP_MIRROR"):
        read(beatmap_mirror=text)


@pytest.mark.parametrize(
    ("name", "text", "accepted"),
    [
        ("rate_limit", "0.001", "0 or a number from 0.01 to 100000"),
        ("rate_limit", "nan", "(0 or )?a number from"),
        ("rate_limit", "-1", "a number from 0 to 100000"),
        ("rate_limit_burst", "0", "a whole number from 1 to 1000000"),
        ("rate_limit_exempt", "10.0.0.1/8", "addresses and networks"),
        ("rate_limit_exempt", "localhost", "addresses and networks"),
    ],
)
def test_an_invalid_rate_limit_is_rejected(name: str, text: str, accepted: str) -> None:
    with pytest.raises(BadSetting, match=rf"{name.upper()}.*: expected {accepted}"):
        read(**{name: text})


def test_an_empty_rate_limit_exempt_means_no_network() -> None:
    assert read(rate_limit_exempt="").rate_limit_exempt == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GAME_SERVER_URL", "bancho:10000"),
        ("GAME_SERVER_URL", "http://"),
        ("GAME_SERVER_URL", "http://bancho/path"),
        ("GAME_SERVER_URL", "http://user@bancho"),
        ("GAME_SERVER_URL", "http://bancho:port"),
        ("GAME_SERVER_URL", "http://[::1"),
        ("APP_PORT", "70000"),
        ("GAME_SERVER_TIMEOUT", "0"),
        ("PASSTHROUGH", "perhaps"),
        ("TRUSTED_PROXIES", "nginx"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("CLIENT_ADDRESS_HEADER", "X-Real-IP, X-Forwarded-For"),
        ("CLIENT_ADDRESS_HEADER", "X Real IP"),
        ("CLIENT_ADDRESS_HEADER", "X-Real-IP:"),
        ("CLIENT_ADDRESS_HEADER", "X-Real-IP\nHost"),
        ("CLIENT_ADDRESS_HEADER", "Ünknown"),
        ("CLIENT_ADDRESS_HEADER", "forwarded"),
        ("CORS_ORIGINS", "example.com"),
        ("CORS_ORIGINS", "*,https://example.com/path"),
        ("DOMAIN", "exa mple\n"),
        ("DOMAIN", "https://example.com"),
    ],
)
def test_an_invalid_value_is_rejected(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=name) as caught:
        read(**{name: value})
    assert "\n" not in str(caught.value)


def test_comma_separated_values() -> None:
    settings = read(TRUSTED_PROXIES="10.0.0.0/8, ::1", CORS_ORIGINS="HTTPS://Example.com/ , http://localhost:3000")
    networks = Networks(settings.trusted_proxies)
    assert [address in networks for address in ("10.255.0.1", "::1", "11.0.0.1")] == [True, True, False]
    assert settings.origins == ["https://example.com", "http://localhost:3000"]


def test_networks_that_are_too_large() -> None:
    for text in ("0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "2000::/3"):
        assert Networks(text).too_large == [text]
    assert Networks("10.0.0.0/8, ::/0, fc00::/7, 104.16.0.0/13, 2400:cb00::/32").too_large == ["::/0"]
    assert Networks(Settings().trusted_proxies).too_large == []


def test_an_empty_value_means_none_for_some_settings_and_the_default_for_others() -> None:
    assert read().origins == read(PASSTHROUGH="").origins == ["*"]
    assert read(CORS_ORIGINS="").origins == []
    assert read(TRUSTED_PROXIES="").trusted_proxies == "127.0.0.0/8,::1"
