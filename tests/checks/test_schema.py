"""`check` on databases whose schema differs from the stock schema, one mistake each."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from checks import expected
from storage.database import catalogue
from tests.support import conformance, mariadbd
from tests.support.checks import Findings, check
from tests.support.servers import MariaDB


@pytest.fixture(scope="module")
def stock(mariadb: MariaDB) -> str:
    """A database with the recorded world."""
    url = mariadb.database("check_schema")
    conformance.load(url)
    return url


@contextmanager
def changed(url: str, table: str, *changes: str) -> Iterator[None]:
    """Change a copy of a table in its place."""
    copy = (f"CREATE TABLE {table} LIKE stock_{table}", f"INSERT INTO {table} SELECT * FROM stock_{table}")
    mariadbd.execute(url, f"RENAME TABLE {table} TO stock_{table}", *copy, *changes)
    try:
        yield
    finally:
        mariadbd.execute(url, f"DROP TABLE {table}", f"RENAME TABLE stock_{table} TO {table}")


def mend(url: str, findings: Findings, code: str) -> None:
    """Run what the findings with this code advise."""
    for found in findings.all:
        if found.code == code:
            _, _, statements = found.advice.rpartition("run: ")
            mariadbd.execute(url, *(statement for statement in statements.split(";") if statement.strip()))


def test_columns_that_cannot_be_compared(stock: str, tmp_path: Path) -> None:
    convert = "ALTER TABLE {} CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_{}_ci"
    maps, scores = convert.format("maps", "unicode_520"), convert.format("scores", "general")
    with changed(stock, "maps", maps), changed(stock, "scores", scores), changed(stock, "ratings"):
        findings = check(tmp_path, database_url=stock)

        assert findings.codes("schema") == {"schema.collations": "error"}
        with_ratings, with_scores = (found for found in findings.all if found.code == "schema.collations")
        pair = "maps.md5 (utf8mb4_unicode_520_ci) and scores.map_md5 (utf8mb4_general_ci)"
        assert with_scores.text.startswith(f"{pair} cannot be compared; ")
        assert "player_scores_best" in with_scores.text
        change = "run: ALTER TABLE maps MODIFY md5 char(32) COLLATE utf8mb4_general_ci NOT NULL;"
        assert with_scores.advice == change
        assert with_ratings.level == "warning"
        assert with_ratings.advice.startswith(
            f"{change} ALTER TABLE ratings MODIFY map_md5 char(32) COLLATE utf8mb4_g"
        )
        mend(stock, findings, "schema.collations")
        assert check(tmp_path, database_url=stock).codes("schema") == {"schema.complete": "ok"}


def test_columns_that_are_compared_without_an_index(stock: str, tmp_path: Path) -> None:
    with changed(stock, "scores", "ALTER TABLE scores MODIFY map_md5 char(32) CHARACTER SET utf8mb4 NOT NULL"):
        findings = check(tmp_path, database_url=stock)

        assert findings.codes("schema") == {"schema.collations": "warning"}
        mend(stock, findings, "schema.collations")
        assert check(tmp_path, database_url=stock).codes("schema") == {"schema.complete": "ok"}


def test_the_collation_that_most_columns_have_stays(stock: str, tmp_path: Path) -> None:
    with changed(stock, "ratings", "ALTER TABLE ratings MODIFY map_md5 char(32) CHARACTER SET utf8mb4 NOT NULL"):
        findings = check(tmp_path, database_url=stock)

    assert "run: ALTER TABLE ratings MODIFY map_md5 " in findings.text("schema.collations")
    assert "ALTER TABLE maps" not in findings.text("schema.collations")


def test_columns_that_may_be_null(stock: str, tmp_path: Path) -> None:
    users = "ALTER TABLE users MODIFY name varchar(32) CHARACTER SET utf8mb3 NULL, MODIFY country char(2) NULL"
    nulls = "UPDATE users SET name = NULL, country = NULL WHERE id = 3"
    stats = "ALTER TABLE stats MODIFY acc float(6,3) NULL"
    with changed(stock, "stats", stats), changed(stock, "users", users, nulls):
        findings = check(tmp_path, database_url=stock)

        assert findings.counts["schema.nullable"] == 2
        assert findings.levels["schema.nullable"] == "warning"
        texts = [f"{found.text} -> {found.advice}" for found in findings.all if found.code == "schema.nullable"]
        assert texts[0].startswith("stats.acc may be NULL, unlike in the stock schema: answered as 0")
        acc = "ALTER TABLE stats MODIFY acc float(6,3) NOT NULL DEFAULT 0.000;"
        assert texts[0].endswith(f"run: UPDATE stats SET acc = 0.000 WHERE acc IS NULL; {acc}")
        assert "users.country, users.name may be NULL" in texts[1]
        assert "UPDATE users SET country = 'xx' WHERE country IS NULL;" in texts[1]
        for found in findings.all:
            if found.code == "schema.nullable":
                for statement in found.advice.removeprefix("run: ").rstrip(";").split(";"):
                    mariadbd.execute(stock, statement)
        assert check(tmp_path, database_url=stock).codes("schema") == {"schema.complete": "ok"}
        # The names have kept their character set.
        mariadbd.execute(stock, "SET NAMES utf8mb4", "UPDATE users SET name = '試合' WHERE id = 3")


@pytest.mark.parametrize(
    ("table", "drop", "columns", "statement"),
    [
        ("maps", "INDEX maps_md5_uindex", "md5", "ALTER TABLE maps ADD UNIQUE KEY maps_md5_uindex (md5);"),
        ("maps", "INDEX maps_id_uindex", "id", "ALTER TABLE maps ADD UNIQUE KEY maps_id_uindex (id);"),
        ("stats", "PRIMARY KEY", "id, mode", "ALTER TABLE stats ADD PRIMARY KEY (id, mode);"),
        ("ratings", "PRIMARY KEY", "userid, map_md5", "ALTER TABLE ratings ADD PRIMARY KEY (userid, map_md5);"),
    ],
)
def test_a_missing_unique_key(
    stock: str, tmp_path: Path, table: str, drop: str, columns: str, statement: str
) -> None:
    with changed(
        stock, table, f"ALTER TABLE {table} MODIFY {columns.split(',')[0]} varchar(32) NOT NULL, DROP {drop}"
    ):
        mariadbd.execute(stock, f"INSERT INTO {table} SELECT * FROM stock_{table} LIMIT 0")
        findings = check(tmp_path, database_url=stock)

    assert findings.levels["schema.key-missing"] == "warning"
    text = findings.text("schema.key-missing")
    assert f"{table} has no unique key on ({columns})" in text
    assert text.endswith(f"run: {statement}")


def test_duplicates_are_counted(stock: str, tmp_path: Path) -> None:
    double = "UPDATE users SET safe_name = 'twin' WHERE id IN (3, 4, 5)"
    with changed(stock, "users", "ALTER TABLE users DROP INDEX users_safe_name_uindex", double):
        text = check(tmp_path, database_url=stock).text("schema.key-missing")

    assert "reads all of them; values that occur in several rows: 1, and one row of each is answered" in text
    assert "delete the other rows, then run: ALTER TABLE users ADD UNIQUE KEY users_safe_name_uindex" in text


def test_every_index_of_the_stock_schema_is_looked_for(stock: str, tmp_path: Path) -> None:
    read = catalogue.columns_read()
    keys = {(key.table, key.columns[:1]) for key in expected.unique_keys()}
    # One on the first column of a unique key would be of no use.
    indexes = [
        index
        for index in expected.stock_indexes()
        if index.table in read and (index.table, index.columns) not in keys
    ]
    missed = set()
    for table in sorted(read):
        own = [index for index in indexes if index.table == table]
        # An index that begins with the same columns serves as well.
        drops = [f"DROP INDEX {index.name}" for index in own]
        if drops:
            with changed(stock, table, f"ALTER TABLE {table} {', '.join(drops)}"):
                findings = check(tmp_path, database_url=stock)
            missed |= {found.advice for found in findings.all if found.code == "indexes.stock-missing"}

    assert len(indexes) > 20
    assert missed == {f"run: {index.statement}" for index in indexes}


@pytest.mark.parametrize("table", ["achievements", "favourites", "user_achievements"])
def test_a_table_that_may_be_missing(stock: str, tmp_path: Path, table: str) -> None:
    assert catalogue.optional_tables() == {"achievements", "favourites", "user_achievements"}
    with changed(stock, table, f"RENAME TABLE {table} TO away"):
        findings = check(tmp_path, database_url=stock)
        mariadbd.execute(stock, f"RENAME TABLE away TO {table}")

    assert findings.codes("schema") == {"schema.complete": "ok", "schema.table-absent": "ok"}
    text = findings.text("schema.table-absent")
    assert text.startswith(f"table {table} is missing, as in old databases and some forks: ")
    assert ("set_favourites" if table == "favourites" else "player_achievements") in text


def test_a_column_whose_name_is_a_keyword(stock: str, tmp_path: Path) -> None:
    nullable = "ALTER TABLE achievements MODIFY `desc` varchar(200) CHARACTER SET utf8mb4 NULL"
    with changed(stock, "achievements", nullable):
        findings = check(tmp_path, database_url=stock)
        assert findings.codes("schema") == {"schema.nullable": "warning"}
        mend(stock, findings, "schema.nullable")
        assert check(tmp_path, database_url=stock).codes("schema") == {"schema.complete": "ok"}
    with changed(stock, "achievements", "ALTER TABLE achievements DROP COLUMN `desc`"):
        assert check(tmp_path, database_url=stock).codes("schema") == {"schema.column-missing": "error"}


@contextmanager
def reader(url: str, *grants: str) -> Iterator[str]:
    """Yield the URL of the database for a user with these privileges only."""
    name = url.rpartition("/")[2]
    create = "CREATE USER narrow@'127.0.0.1' IDENTIFIED BY 'a-password'"
    mariadbd.execute(url, "DROP USER IF EXISTS narrow@'127.0.0.1'", create)
    mariadbd.execute(url, *(f"GRANT {grant.format(name=name)} TO narrow@'127.0.0.1'" for grant in grants))
    try:
        yield f"mysql://narrow:a-password@{url.rpartition('@')[2]}"
    finally:
        mariadbd.execute(url, "DROP USER narrow@'127.0.0.1'")


def test_a_missing_privilege_is_not_a_missing_table(stock: str, tmp_path: Path) -> None:
    with reader(stock, "SELECT ON {name}.users", "SELECT (id, name) ON {name}.clans") as url:
        findings = check(tmp_path, database_url=url)

        assert findings.codes("schema") == {"schema.no-grant": "error"}
        text = findings.text("schema.no-grant")
        assert (
            "its user may not read achievements, clans, favourites, maps, ratings, relationships, scores, stats,"
            in text
        )
        assert "users" not in text.partition(";")[0].split(", ")
        assert "GRANT SELECT ON maps TO 'narrow'@'127.0.0.1';" in text
        mend(stock, findings, "schema.no-grant")
        assert set(check(tmp_path, database_url=url).codes("schema").values()) == {"ok"}


def test_a_user_who_may_read_no_table(stock: str, tmp_path: Path) -> None:
    with reader(stock, "CREATE VIEW ON {name}.*") as url:
        findings = check(tmp_path, database_url=url)

    assert findings.codes("schema") == {"schema.no-grant": "error"}


def test_a_database_of_another_program(mariadb: MariaDB, tmp_path: Path) -> None:
    url = mariadb.database("blog")
    mariadbd.execute(url, *(f"CREATE TABLE wp_{name} (id int)" for name in ("posts", "users", "terms", "links")))

    findings = check(tmp_path, database_url=url)

    assert findings.codes("schema") == {"schema.no-tables": "error"}
    assert "but 4 tables of another program, such as wp_links, wp_posts, wp_terms" in findings.text(
        "schema.no-tables"
    )


def test_which_columns_the_statements_compare() -> None:
    compared = expected.columns_compared()

    assert compared["maps", "md5", "scores", "map_md5"] >= {"player_scores_best", "player_most_played", "score"}
    assert ("clans", "id", "users", "clan_id") in compared
