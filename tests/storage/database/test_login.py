"""Logging in to the database with the settings of a game server."""

import asyncio
from urllib.parse import quote, urlsplit

import pytest

from config.environment import settings_from
from storage.database import catalogue
from storage.database.database import Database
from tests.config.test_settings import HERE
from tests.conftest import connected
from tests.support import mariadbd
from tests.support.servers import MariaDB

NAMES_AND_PASSWORDS = [
    ("apidot_login", "пароль"),
    ("игрок", "pässword ✓ 密码"),
    ("apidot_login", ' @:/?#%&=[]"\\`$ '),
    ("apidot login@here", "plain"),
]


@pytest.mark.parametrize("driver", ["mysql", "mysql+asyncmy"])
@pytest.mark.parametrize(("user", "password"), NAMES_AND_PASSWORDS)
@pytest.mark.parametrize("in_url", [False, True])
def test_users_and_passwords_of_any_characters(
    recorded_mysql: str, mariadb: MariaDB, driver: str, user: str, password: str, in_url: bool
) -> None:
    address = urlsplit(recorded_mysql)
    name = address.path[1:]
    text = password.replace("\\", "\\\\")
    account = f"'{user}'@'%'"
    mariadbd.execute(
        mariadb.url,
        f"DROP USER IF EXISTS {account}",
        f"CREATE USER {account} IDENTIFIED BY '{text}'",
        f"GRANT SELECT ON `{name}`.* TO {account}",
    )
    if in_url:
        login = f"{quote(user, safe='')}:{quote(password, safe='')}"
        given = {"DATABASE_URL": f"{driver}://{login}@{address.hostname}:{address.port}/{name}"}
    else:
        given = {
            "DB_HOST": f"{address.hostname}:{address.port}",
            "DB_USER": user,
            "DB_PASS": password,
            "DB_NAME": name,
        }
    try:
        assert asyncio.run(newest((settings_from(given, HERE).database or "").replace("mysql:", f"{driver}:"))) > 0
    finally:
        mariadbd.execute(mariadb.url, f"DROP USER {account}")


async def newest(url: str) -> int:
    """Return the id of the newest score."""
    async with connected(Database(url)) as database:
        score = await database.one(catalogue.score_newest)
        return score.id if score else 0


def test_the_socket_of_the_database(recorded_mysql: str, mariadb: MariaDB) -> None:
    address = urlsplit(recorded_mysql)
    (socket,) = mariadb_socket(mariadb)
    for text in (socket, f"unix:{socket}", f"unix://{socket}"):
        given = {"DB_HOST": text, "DB_USER": address.username or "", "DB_NAME": address.path[1:]}
        settings = settings_from(given | {"DB_PASS": address.password or ""}, HERE)
        for driver in ("mysql", "mysql+asyncmy"):
            assert asyncio.run(newest((settings.database or "").replace("mysql:", f"{driver}:", 1))) > 0


def mariadb_socket(server: MariaDB) -> tuple[str, ...]:
    """Return the path of the server's Unix socket."""
    with mariadbd.connect(server.url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@socket")
        return tuple(cursor.fetchone() or ())
