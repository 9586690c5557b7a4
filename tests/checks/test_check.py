"""`check` on a database without mistakes, and on databases with one mistake each."""

import re
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from checks import expected, indexes
from demo.build import build
from demo.world import Sizes
from storage.database import catalogue
from storage.database.statement import FOLDER
from tests.support import conformance, mariadbd
from tests.support.checks import check
from tests.support.http_stub import Answer, Asked, answering
from tests.support.processes import free_port
from tests.support.servers import MariaDB, Redis

ONLINE = b"\n<!DOCTYPE html>\n<body>\nusers:\n(  3): player\nbots:\n(  1): banchobot\n</body>\n"
NEWEST = 7000  # of the passed scores in the recorded world
FRAMES = b"\x5d\x00\x00\x20\x00" + bytes(20)
COUNT = b'{"status":"success","counts":{"online":1,"total":9}}'


def game_server(asked: Asked) -> Answer:
    """Answer as a game server does with one player online."""
    return Answer(200, ONLINE if asked.path == "/online" else COUNT)


@pytest.fixture(scope="module")
def served(mariadb: MariaDB) -> str:
    """A database with the recorded world and the recommended indexes."""
    url = mariadb.database("served")
    conformance.load(url)
    mariadbd.execute(url, *(index.statement for index in expected.indexes()))
    return url


@contextmanager
def changed(url: str, change: str, back: str) -> Iterator[None]:
    """Run the statement `change`, and `back` at the end."""
    mariadbd.execute(url, change)
    try:
        yield
    finally:
        mariadbd.execute(url, back)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a replay."""
    for name in ("osr", "osu", "avatars"):
        (tmp_path / ".data" / name).mkdir(parents=True)
    (tmp_path / ".data" / "osr" / f"{NEWEST}.osr").write_bytes(FRAMES)
    return tmp_path


def test_a_database_without_mistakes(served: str, redis: Redis, data: Path) -> None:
    with answering(game_server) as port:
        findings = check(data, database_url=served, redis_url=redis.url, app_port=str(port))

    assert set(findings.levels.values()) == {"ok"}, findings.all
    assert findings.text("game-server.api").startswith(f"http://127.0.0.1:{port} answers; 1 online")


def test_a_stock_database_lacks_the_indexes_and_nothing_else(recorded_mysql: str, data: Path) -> None:
    findings = check(data, database_url=recorded_mysql)

    assert findings.counts["indexes.missing"] == len(expected.indexes()) == 13
    assert {f.advice for f in findings.all if f.code == "indexes.missing"} == {
        f"run: {index.statement}" for index in expected.indexes()
    }
    assert findings.codes("schema") == {"schema.complete": "ok"}


def test_an_index_with_more_columns_at_the_end_is_enough(served: str, data: Path) -> None:
    change = "ALTER TABLE stats DROP INDEX apidot_stats_board, ADD INDEX other (mode, pp, id)"
    back = "ALTER TABLE stats DROP INDEX other, ADD INDEX apidot_stats_board (mode, pp)"
    with changed(served, change, back):
        assert check(data, database_url=served).codes("indexes") == {"indexes.complete": "ok"}


def test_an_index_in_another_order_is_not_enough(served: str, data: Path) -> None:
    change = "ALTER TABLE stats DROP INDEX apidot_stats_board, ADD INDEX other (pp, mode)"
    back = "ALTER TABLE stats DROP INDEX other, ADD INDEX apidot_stats_board (mode, pp)"
    with changed(served, change, back):
        assert check(data, database_url=served).codes("indexes") == {"indexes.missing": "warning"}


def test_the_cost_of_a_missing_index_is_measured(recorded_mysql: str, data: Path) -> None:
    missing = [found for found in check(data, database_url=recorded_mysql).all if found.code == "indexes.missing"]
    cost = r", which takes up to \d+ ms here; it would need about 1 MB$"
    assert missing
    assert not [found.text for found in missing if not re.search(cost, found.text)]


def test_the_cost_is_not_measured_without_a_column_that_the_statements_read(served: str, data: Path) -> None:
    change = "ALTER TABLE stats DROP INDEX apidot_stats_plays, RENAME COLUMN plays TO played"
    back = "ALTER TABLE stats RENAME COLUMN played TO plays, ADD INDEX apidot_stats_plays (mode, plays)"
    with changed(served, change, back):
        text = check(data, database_url=served).text("indexes.missing")
    assert "read and sorted, which costs time; it would need about 1 MB" in text


def test_an_index_that_ignored_desc_is_not_enough(served: str, data: Path) -> None:
    ascending = "ADD INDEX apidot_beatmap_by_pp (map_md5, status, mode, pp)"
    mariadbd.execute(served, f"ALTER TABLE scores DROP INDEX apidot_beatmap_by_pp, {ascending}")
    findings = check(data, database_url=served)
    assert findings.codes("indexes") == {"indexes.missing": "warning"}
    text = findings.text("indexes.missing")
    assert text.startswith("apidot_beatmap_by_pp has other columns, or another order: ")
    _, _, statements = text.rpartition("run: ")
    mariadbd.execute(served, *(statement for statement in statements.split(";") if statement.strip()))
    assert check(data, database_url=served).codes("indexes") == {"indexes.complete": "ok"}


@pytest.mark.parametrize(
    ("version", "keeps"),
    [
        ("10.11.19-MariaDB-0+deb12u1", True),
        ("10.8.3-MariaDB", True),
        ("10.7.8-MariaDB-log", False),
        ("9.7.4-2", True),
        ("8.0.36", True),
        ("5.7.44-log", False),
    ],
)
def test_servers_that_ignore_desc(version: str, keeps: bool) -> None:
    assert indexes._keeps_descending(version) is keeps


def test_indexes_that_are_not_used_any_more(served: str, data: Path) -> None:
    old = {"best": "score", "recent": "play_time"}
    mariadbd.execute(
        served,
        *(f"CREATE INDEX apidot_beatmap_{name} ON scores (map_md5, mode, status, {old[name]})" for name in old),
    )
    findings = check(data, database_url=served)
    assert findings.codes("indexes") == {"indexes.complete": "ok", "indexes.obsolete": "warning"}
    advice = [found.advice for found in findings.all if found.code == "indexes.obsolete"]
    assert advice == [f"run: DROP INDEX apidot_beatmap_{name} ON scores;" for name in old]
    mariadbd.execute(served, *(each.removeprefix("run: ") for each in advice))
    assert check(data, database_url=served).codes("indexes") == {"indexes.complete": "ok"}


def test_each_recommended_index_is_for_a_statement() -> None:
    names = {name for name, _ in catalogue.statements()}
    assert {index.query for index in expected.indexes()} <= names
    text = (FOLDER / "indexes.sql").read_text(encoding="utf-8")
    assert len(expected.indexes()) == text.count("CREATE INDEX")
    assert len(expected.obsolete_indexes()) == text.count("DROP INDEX")


def test_extra_columns_of_a_fork_are_fine(mariadb: MariaDB, data: Path) -> None:
    url = mariadb.database("fork")
    conformance.load(url)
    mariadbd.execute(
        url,
        "ALTER TABLE scores ADD pinned tinyint(1) NOT NULL DEFAULT 0",
        "ALTER TABLE users ADD irc_key char(32) NULL",
        "ALTER TABLE stats ADD season_id int NOT NULL DEFAULT 1",
        "ALTER TABLE stats DROP PRIMARY KEY, ADD PRIMARY KEY (id, mode, season_id)",
    )

    findings = check(data, database_url=url)

    assert set(findings.codes("schema").values()) == {"ok"}
    assert findings.counts["schema.extra-columns"] == 3
    assert "no player has several" in findings.text("schema.key")

    mariadbd.execute(url, "INSERT INTO stats (id, mode, season_id) VALUES (3, 0, 2)")

    findings = check(data, database_url=url)

    assert findings.levels["schema.key"] == "warning"
    assert "player 3 has several in mode 0" in findings.text("schema.key")


def test_a_missing_table_is_an_error(served: str, data: Path) -> None:
    with changed(served, "RENAME TABLE clans TO clans_away", "RENAME TABLE clans_away TO clans"):
        findings = check(data, database_url=served)

    assert findings.codes("schema") == {"schema.table-missing": "error"}
    assert "table clans is missing" in findings.text("schema.table-missing")
    assert "leaderboard" in findings.text("schema.table-missing")


def test_a_missing_column_is_an_error(served: str, data: Path) -> None:
    change = "ALTER TABLE users CHANGE preferred_mode gone int NOT NULL DEFAULT 0"
    back = "ALTER TABLE users CHANGE gone preferred_mode int NOT NULL DEFAULT 0"
    with changed(served, change, back):
        findings = check(data, database_url=served)

    assert findings.codes("schema") == {"schema.column-missing": "error", "schema.extra-columns": "ok"}
    text = findings.text("schema.column-missing")
    assert "users.preferred_mode is missing; " in text
    assert "player_details" in text
    assert "4.1.3" in findings.text("schema.column-missing")


def test_a_column_of_another_type_is_a_warning(served: str, data: Path) -> None:
    change = "ALTER TABLE scores MODIFY pp varchar(16) NOT NULL, MODIFY score bigint NOT NULL"
    back = "ALTER TABLE scores MODIFY pp float(7,3) NOT NULL, MODIFY score int NOT NULL"
    with changed(served, change, back):
        findings = check(data, database_url=served)

    assert findings.codes("schema") == {"schema.column-type": "warning"}
    assert findings.text("schema.column-type").startswith("scores.pp is varchar(16), where float(7,3) is expected")


def test_an_empty_database_is_one_error(mariadb: MariaDB, data: Path) -> None:
    findings = check(data, database_url=mariadb.database("empty"))

    assert findings.codes("schema") == {"schema.no-tables": "error"}


def test_a_user_with_read_access_is_enough(served: str, data: Path) -> None:
    name, reader = served.rpartition("/")[2], f"reader_{secrets.token_hex(4)}"
    with changed(served, f"CREATE USER {reader} IDENTIFIED BY 'a-password'", f"DROP USER {reader}"):
        mariadbd.execute(served, f"GRANT SELECT ON {name}.* TO {reader}")
        url = f"mysql://{reader}:a-password@{served.rpartition('@')[2]}"
        findings = check(data, database_url=url)

        mariadbd.execute(served, f"GRANT UPDATE (play_style) ON {name}.users TO {reader}")
        writing = check(data, database_url=url)

    assert "database.read-only" in findings.levels
    assert set(findings.codes("schema").values()) == {"ok"}
    assert "UPDATE" in writing.text("database.may-write")


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("mysql://root:se%2Fcret@127.0.0.1:{closed}/x", "database.away", "is DB_HOST:DB_PORT right"),
        ("mysql://root:secret@{place}/x", "database.away", "DB_USER and DB_PASS"),
        ("mysql://{login}@{place}/nothing", "database.away", "DB_NAME"),
        ("sqlite:////nowhere/world.sqlite", "database.missing-file", "DATABASE_URL"),
    ],
)
def test_an_unreachable_database_is_explained(served: str, data: Path, url: str, code: str, said: str) -> None:
    login, _, place = urlsplit(served).netloc.rpartition("@")

    findings = check(data, database_url=url.format(closed=free_port(), place=place, login=login))

    assert findings.codes("database") == {code: "error"}
    assert said in findings.text(code)
    assert "cret" not in str(findings.all)


@pytest.mark.parametrize(
    ("state", "said"),
    [("ACCOUNT LOCK", "ACCOUNT UNLOCK"), ("PASSWORD EXPIRE", "password of DB_USER has expired")],
)
def test_an_account_that_cannot_be_used_is_explained(served: str, data: Path, state: str, said: str) -> None:
    user = f"reader_{secrets.token_hex(4)}"
    with changed(served, f"CREATE USER {user} IDENTIFIED BY 'a-password' {state}", f"DROP USER {user}"):
        mariadbd.execute(served, f"GRANT SELECT ON {served.rpartition('/')[2]}.* TO {user}")
        findings = check(data, database_url=f"mysql://{user}:a-password@{served.rpartition('@')[2]}")

    assert findings.codes("database") == {"database.away": "error"}
    assert said in findings.text("database.away")


def test_a_database_that_hangs_is_not_waited_for_long(data: Path) -> None:
    # The kernel accepts the connection, and nobody says hello.
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"mysql://root:secret@127.0.0.1:{server.getsockname()[1]}/x"
        findings = check(data, database_url=url, db_pool_wait="0.5")

    assert findings.codes("database") == {"database.away": "error"}
    assert "no answer in time" in findings.text("database.away")


def test_a_sqlite_database_without_mistakes(recorded_sqlite: str, data: Path) -> None:
    findings = check(data, database_url=recorded_sqlite)

    assert set(findings.codes("schema").values()) == set(findings.codes("database").values()) == {"ok"}


def test_the_demo_world_without_mistakes(tmp_path: Path) -> None:
    build(tmp_path / ".data" / "demo", sizes=Sizes(players=20, beatmaps=20, scores=100, replays=10))

    assert set(check(tmp_path).levels.values()) == {"ok"}


def test_the_stock_schema_has_every_column_that_a_statement_reads() -> None:
    stock = expected.tables()
    read = {table: set(columns) for table, columns in catalogue.columns_read().items()}

    assert {"users", "stats", "scores", "maps", "clans"} <= read.keys() <= stock.keys()
    assert all(columns <= stock[table].keys() for table, columns in read.items())
    assert {"safe_name", "priv", "latest_activity"} <= read["users"]
