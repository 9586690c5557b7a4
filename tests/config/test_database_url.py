"""The options of a database URL, and the settings about encryption that they may stand for."""

import os
import shutil
from pathlib import Path

import pytest

from config.environment import BadSetting, settings_from
from config.settings import Settings
from tests.support.certificates import Authority

URL = "mysql://user:geheim@db.example/bancho"


def read(folder: Path, **settings: str) -> Settings:
    return settings_from({name.upper(): value for name, value in settings.items()}, folder)


@pytest.mark.parametrize("name", ["database_url", "db_dsn"])
@pytest.mark.parametrize(
    ("options", "encryption"),
    [
        ("", "off"),
        ("?ssl=true", "verify"),
        ("?ssl=1", "verify"),
        ("?SSL=On", "verify"),
        ("?ssl=verify", "verify"),
        ("?ssl=required", "required"),
        ("?ssl=false", "off"),
        ("?ssl=0", "off"),
        ("?sslmode=REQUIRED", "required"),
        ("?ssl-mode=PREFERRED", "preferred"),
        ("?ssl_mode=VERIFY_IDENTITY", "verify"),
        ("?sslMode=DISABLED", "off"),
        ("?sslmode=require", "required"),
        ("?sslmode=verify-full", "verify"),
        ("?charset=utf8mb4&ssl=required", "required"),
        ("?ssl=required&sslmode=REQUIRED", "required"),
    ],
)
def test_encryption_in_the_url(tmp_path: Path, name: str, options: str, encryption: str) -> None:
    settings = read(tmp_path, **{name: URL + options})

    assert settings.db_ssl == encryption
    # `databases` reads options of the same names in another way.
    assert settings.database == URL


@pytest.mark.parametrize(
    ("settings", "encryption"),
    [
        ({}, "off"),
        ({"db_use_ssl": "true"}, "preferred"),
        ({"db_use_ssl": "false"}, "off"),
        ({"db_use_ssl": "true", "db_ssl": "verify"}, "verify"),
        ({"db_use_ssl": "true", "db_ssl": "off"}, "off"),
        ({"db_ssl_ca": "ca.pem"}, "verify"),
        ({"db_ssl_ca": "ca.pem", "db_use_ssl": "true"}, "verify"),
        ({"db_ssl_ca": "ca.pem", "db_ssl": "verify"}, "verify"),
        ({"db_ssl_ca": "ca.pem", "database_url": f"{URL}?ssl=true"}, "verify"),
        ({"database_url": f"{URL}?ssl_ca=ca.pem"}, "verify"),
        ({"database_url": f"{URL}?ssl-ca=ca.pem&ssl=1"}, "verify"),
        ({"database_url": f"{URL}?ssl=required", "db_ssl": "required"}, "required"),
        ({"database_url": f"{URL}?ssl=required", "db_use_ssl": "true"}, "required"),
    ],
)
def test_encryption_in_the_settings(tmp_path: Path, settings: dict[str, str], encryption: str) -> None:
    shutil.copy(Authority(tmp_path).file, tmp_path / "ca.pem")

    read_settings = read(tmp_path, **settings)

    assert read_settings.db_ssl == encryption
    names_file = "ca.pem" in str(settings)
    assert read_settings.db_ssl_ca == (str(tmp_path / "ca.pem") if names_file else "")


def test_a_socket_and_a_number_of_connections_in_the_url(tmp_path: Path) -> None:
    settings = read(tmp_path, database_url="mysql://user:geheim@/bancho?unix_socket=/run/my%20sql.sock&max_size=7")

    assert settings.database == "mysql://user:geheim@/bancho?unix_socket=/run/my%20sql.sock"
    assert settings.db_pool_max == 7


@pytest.mark.parametrize("name", ["DATABASE_URL", "DB_DSN"])
@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"{URL}?ssl=maybe", "ssl takes true, false, disabled, preferred, required or verify_identity"),
        (f"{URL}?ssl=", "ssl takes true, false, "),
        (f"{URL}?sslmode=VERIFY_CA", "sslmode takes disabled, preferred, required or verify_identity"),
        (f"{URL}?ssl_ca=", "ssl_ca takes the path of a file"),
        (f"{URL}?ssl_ca=/nowhere/ca.pem", "/nowhere/ca.pem cannot be read (No such file or directory)"),
        (f"{URL}?min_size=abc", "the option min_size is not known; known are charset, max_size, ssl, ssl_ca, "),
        (f"{URL}?pool_recycle=60", "the option pool_recycle is not known"),
        (f"{URL}?max_size=abc", "DB_POOL_MAX='abc': expected a whole number from 1 to 1000"),
        (f"{URL}?unix_socket=", "unix_socket takes one absolute path"),
        (f"{URL}?unix_socket=mysqld.sock", "unix_socket takes one absolute path"),
        (f"{URL}?unix_socket=/a&unix_socket=/b", "unix_socket takes one absolute path"),
        (f"{URL}?unix_socket=/a%00b", "the option unix_socket has a character that cannot be printed"),
        (f"{URL}?charset=latin1", "expected charset=utf8mb4"),
        (f"{URL}?local_infile=geheim", "the option local_infile is not known"),
        (f"{URL}?ssl=required&ssl=verify", "the option ssl contradicts another one"),
        (f"{URL}?ssl=required&sslmode=DISABLED", "the option sslmode contradicts another one"),
        (f"{URL}?", None),
        (f"{URL}?=geheim", "an option is not known"),
        ("mysql://user:1/x?geheim@db.example/bancho", "write ? as %3F"),
        ("mysql://user:1/x#geheim@db.example/bancho", "write ? as %3F, # as %23"),
        ("sqlite:////srv/world.sqlite?mode=ro", "the option mode is not known; a SQLite file takes none"),
    ],
)
def test_other_options_are_refused_by_name(tmp_path: Path, name: str, url: str, said: str | None) -> None:
    if said is None:
        assert read(tmp_path, **{name: url}).database == URL
        return
    with pytest.raises(BadSetting) as raised:
        read(tmp_path, **{name: url})

    message = str(raised.value)
    assert said in message
    assert "geheim" not in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"database_url": f"{URL}?ssl=false", "db_ssl": "verify"}, "DATABASE_URL: an option contradicts DB_SSL"),
        ({"db_dsn": f"{URL}?max_size=3", "db_pool_max": "4"}, "DB_DSN: an option contradicts DB_POOL_MAX"),
        (
            {"db_ssl": "required", "db_ssl_ca": "ca.pem"},
            "DB_SSL_CA: only DB_SSL=verify uses it, but DB_SSL is req",
        ),
        ({"db_ssl": "on"}, "DB_SSL='on': expected one of off, preferred, required, verify"),
        ({"db_use_ssl": "maybe"}, "DB_USE_SSL='maybe': expected true or false"),
        ({"db_ssl_ca": "nowhere.pem"}, "nowhere.pem cannot be read (No such file or directory)"),
        ({"db_ssl_ca": "."}, " is not a file"),
        ({"db_ssl_ca": "pipe"}, "pipe is not a file"),
        ({"db_ssl_ca": "empty"}, "empty has no certificate in PEM format"),
    ],
)
def test_settings_that_contradict_each_other_or_name_no_certificate(
    tmp_path: Path, settings: dict[str, str], said: str
) -> None:
    shutil.copy(Authority(tmp_path).file, tmp_path / "ca.pem")
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(BadSetting) as raised:
        read(tmp_path, **settings)

    assert said in str(raised.value)
