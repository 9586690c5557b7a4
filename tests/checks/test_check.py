"""`main.py check` on a database as it should be, and on one after the other with something wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from checks import expected
from demo.build import build
from demo.world import Sizes
from tests.support import conformance, mariadbd, servers
from tests.support.checks import examined
from tests.support.http_stub import Answer, Asked, answering
from tests.support.processes import free_port
from tests.support.servers import MariaDB, Redis

ONLINE = b"\n<!DOCTYPE html>\n<body>\nusers:\n(  3): player\nbots:\n(  1): banchobot\n</body>\n"
NEWEST = 7000  # of the passed scores in the recorded world
FRAMES = b"\x5d\x00\x00\x20\x00" + bytes(20)
COUNT = b'{"status":"success","counts":{"online":1,"total":9}}'


def game_server(asked: Asked) -> Answer:
    """What a game server says of one player who is there."""
    return Answer(200, ONLINE if asked.path == "/online" else COUNT)


@pytest.fixture(scope="module")
def served(mariadb: MariaDB) -> str:
    """A database with the recorded world and the indexes that are worth having."""
    url = mariadb.database("served")
    conformance.load(url)
    mariadbd.execute(url, *(index.statement for index in expected.indexes()))
    return url


@contextmanager
def changed(url: str, change: str, back: str) -> Iterator[None]:
    """The database after one statement, and after another as it was."""
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


def test_nothing_is_found_where_nothing_is_wrong(served: str, redis: Redis, data: Path) -> None:
    with answering(game_server) as port:
        found = examined(data, database_url=served, redis_url=redis.url, app_port=str(port))

    assert set(found.levels.values()) == {"ok"}, found.findings
    assert found.text("game-server.api").startswith(f"http://127.0.0.1:{port} answers; 1 online")


def test_a_stock_database_lacks_the_indexes_and_nothing_else(recorded_mysql: str, data: Path) -> None:
    found = examined(data, database_url=recorded_mysql)

    assert found.counts["indexes.missing"] == len(expected.indexes()) == 10
    assert {f.advice for f in found.findings if f.code == "indexes.missing"} == {
        f"run: {index.statement}" for index in expected.indexes()
    }
    assert found.codes("schema") == {"schema.complete": "ok"}


def test_an_index_that_begins_with_the_columns_will_do(served: str, data: Path) -> None:
    change = "ALTER TABLE stats DROP INDEX apidot_stats_board, ADD INDEX other (mode, pp, id)"
    back = "ALTER TABLE stats DROP INDEX other, ADD INDEX apidot_stats_board (mode, pp)"
    with changed(served, change, back):
        assert examined(data, database_url=served).codes("indexes") == {"indexes.complete": "ok"}


def test_an_index_in_another_order_will_not_do(served: str, data: Path) -> None:
    change = "ALTER TABLE stats DROP INDEX apidot_stats_board, ADD INDEX other (pp, mode)"
    back = "ALTER TABLE stats DROP INDEX other, ADD INDEX apidot_stats_board (mode, pp)"
    with changed(served, change, back):
        assert examined(data, database_url=served).codes("indexes") == {"indexes.missing": "warning"}


def test_a_fork_s_columns_do_no_harm(mariadb: MariaDB, data: Path) -> None:
    url = mariadb.database("fork")
    conformance.load(url)
    mariadbd.execute(
        url,
        "ALTER TABLE scores ADD pinned tinyint(1) NOT NULL DEFAULT 0",
        "ALTER TABLE users ADD irc_key char(32) NULL",
        "ALTER TABLE stats ADD season_id int NOT NULL DEFAULT 1",
        "ALTER TABLE stats DROP PRIMARY KEY, ADD PRIMARY KEY (id, mode, season_id)",
    )

    found = examined(data, database_url=url)

    assert set(found.codes("schema").values()) == {"ok"}
    assert found.counts["schema.extra-columns"] == 3
    assert "no player has several" in found.text("schema.key")

    mariadbd.execute(url, "INSERT INTO stats (id, mode, season_id) VALUES (3, 0, 2)")

    found = examined(data, database_url=url)

    assert found.levels["schema.key"] == "warning"
    assert "player 3 has several in mode 0" in found.text("schema.key")


def test_a_missing_table_cannot_be_served(served: str, data: Path) -> None:
    with changed(served, "RENAME TABLE clans TO clans_away", "RENAME TABLE clans_away TO clans"):
        found = examined(data, database_url=served)

    assert found.codes("schema") == {"schema.table-missing": "error"}
    assert "table clans is missing" in found.text("schema.table-missing")
    assert "leaderboard" in found.text("schema.table-missing")


def test_a_missing_column_cannot_be_served(served: str, data: Path) -> None:
    change = "ALTER TABLE users CHANGE preferred_mode gone int NOT NULL DEFAULT 0"
    back = "ALTER TABLE users CHANGE gone preferred_mode int NOT NULL DEFAULT 0"
    with changed(served, change, back):
        found = examined(data, database_url=served)

    assert found.codes("schema") == {"schema.column-missing": "error", "schema.extra-columns": "ok"}
    text = found.text("schema.column-missing")
    assert "users.preferred_mode is missing; " in text
    assert "player_details" in text
    assert "4.1.3" in found.text("schema.column-missing")


def test_a_column_of_another_kind_is_told(served: str, data: Path) -> None:
    change = "ALTER TABLE scores MODIFY pp varchar(16) NOT NULL, MODIFY score bigint NOT NULL"
    back = "ALTER TABLE scores MODIFY pp float(7,3) NOT NULL, MODIFY score int NOT NULL"
    with changed(served, change, back):
        found = examined(data, database_url=served)

    assert found.codes("schema") == {"schema.column-type": "warning"}
    assert found.text("schema.column-type").startswith("scores.pp is varchar(16), where float(7,3) is expected")


def test_another_database_is_told_in_one_line(mariadb: MariaDB, data: Path) -> None:
    found = examined(data, database_url=mariadb.database("empty"))

    assert found.codes("schema") == {"schema.no-tables": "error"}


def test_a_user_who_may_only_read_is_enough(served: str, data: Path) -> None:
    create = "CREATE OR REPLACE USER reader@'127.0.0.1' IDENTIFIED BY 'a-password'"
    with changed(served, create, "DROP USER reader@'127.0.0.1'"):
        name = served.rpartition("/")[2]
        mariadbd.execute(served, f"GRANT SELECT ON {name}.* TO reader@'127.0.0.1'")
        url = f"mysql://reader:a-password@{served.rpartition('@')[2]}"
        found = examined(data, database_url=url)

        mariadbd.execute(served, f"GRANT UPDATE (play_style) ON {name}.users TO reader@'127.0.0.1'")
        writing = examined(data, database_url=url)

    assert "database.read-only" in found.levels
    assert set(found.codes("schema").values()) == {"ok"}
    assert "UPDATE" in writing.text("database.may-write")


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("mysql://root:se%2Fcret@127.0.0.1:{closed}/x", "database.away", "is DB_HOST:DB_PORT right"),
        ("mysql://root:secret@127.0.0.1:{open}/x", "database.away", "DB_USER and DB_PASS"),
        ("mysql://root:{right}@127.0.0.1:{open}/nothing", "database.away", "DB_NAME"),
        ("sqlite:////nowhere/world.sqlite", "database.missing-file", "DATABASE_URL"),
    ],
)
def test_a_database_out_of_reach_is_explained(served: str, data: Path, url: str, code: str, said: str) -> None:
    login, _, place = served.removeprefix("mysql://").rpartition("@")
    right, port = login.partition(":")[2], place.partition(":")[2].partition("/")[0]

    found = examined(data, database_url=url.format(closed=free_port(), open=port, right=right))

    assert found.codes("database") == {code: "error"}
    assert said in found.text(code)
    assert "cret" not in str(found.findings)


def test_a_database_that_hangs_is_not_waited_for_long(data: Path) -> None:
    with servers.mariadb(private=True) as server:
        server.pause()
        found = examined(data, database_url=server.url + "x", db_pool_wait="0.5")
        server.resume()

    assert found.codes("database") == {"database.away": "error"}
    assert "no answer in time" in found.text("database.away")


def test_a_sqlite_world_is_looked_at_too(recorded_sqlite: str, data: Path) -> None:
    found = examined(data, database_url=recorded_sqlite)

    assert set(found.codes("schema").values()) == set(found.codes("database").values()) == {"ok"}


def test_the_demo_world_is_as_it_should_be(tmp_path: Path) -> None:
    build(tmp_path / ".data" / "demo", sizes=Sizes(players=20, beatmaps=20, scores=100, replays=10))

    assert set(examined(tmp_path).levels.values()) == {"ok"}


def test_the_stock_schema_has_whatever_a_statement_reads() -> None:
    stock = expected.tables()
    read = {table: set(columns) for table, columns in expected.columns_read().items()}

    assert {"users", "stats", "scores", "maps", "clans"} <= read.keys() <= stock.keys()
    assert all(columns <= stock[table].columns.keys() for table, columns in read.items())
    assert {"safe_name", "priv", "latest_activity"} <= read["users"]
