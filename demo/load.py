"""Store a world in SQLite or MySQL, Redis and a data folder. Nothing is overwritten."""

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pymysql
import redis

from demo.schema import statements

Row = tuple[Any, ...]
Rows = tuple[str, list[str], Iterable[Row]]  # table, columns, rows

BATCH = 10_000
LOAD_BATCH = 25_000
TSV = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0"})


class WorldExists(Exception):
    """The database, Redis or folder already holds a world or other data."""


def _batches(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, size)):
        yield batch


def load_sqlite(path: Path, tables: Iterable[Rows], *, replace: bool = False, after: Sequence[str] = ()) -> None:
    """Create a SQLite file: under a temporary name, renamed to `path` when it is complete.

    `after` are statements that are executed at the end.
    """
    if path.exists() and not replace:
        raise WorldExists(f"{path} exists already.")
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    os.close(handle)
    try:
        _fill_sqlite(name, tables, after)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _fill_sqlite(name: str, tables: Iterable[Rows], last: Sequence[str]) -> None:
    before, after = statements("sqlite")
    with closing(sqlite3.connect(name, isolation_level=None)) as connection:
        # An incomplete file is deleted, so it need not survive a crash.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -65536")
        connection.execute("BEGIN")
        for statement in before:
            connection.execute(statement)
        for table, columns, rows in tables:
            names = ", ".join(f'"{column}"' for column in columns)
            placeholders = ", ".join("?" * len(columns))
            for batch in _batches(rows, BATCH):
                connection.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({placeholders})', batch)
        for statement in [*after, *last]:
            connection.execute(statement)
        connection.execute("ANALYZE")
        connection.execute("COMMIT")
    with open(name, "rb+") as file:
        os.fsync(file)


def load_mysql(url: str, tables: Iterable[Rows]) -> None:
    """Create and fill the tables in the database at `url` (mysql://user:password@host:port/name)."""
    check_mysql(url)
    before, after = statements("mysql")
    with closing(_connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SET unique_checks = 0, foreign_key_checks = 0")
        cursor.execute("SELECT @@local_infile")
        prepare = _load_data if (cursor.fetchone() or (0,))[0] else _insert
        for statement in before:
            cursor.execute(statement)
        add_indexes = {statement.split()[2]: statement for statement in after}
        # In parallel: one batch is generated, the previous one is stored, and complete tables get their indexes.
        with ThreadPoolExecutor(1) as storing, ThreadPoolExecutor(1) as finishing:
            indexed = []
            for table, columns, rows in tables:
                names = ", ".join(f"`{column}`" for column in columns)
                stored = storing.submit(lambda: None)
                for batch in _batches(rows, LOAD_BATCH):
                    store = prepare(cursor, f"`{table}` ({names})", batch)
                    stored.result()
                    stored = storing.submit(_committed, connection, store)
                stored.result()
                if statement := add_indexes.pop(table, ""):
                    indexed.append(finishing.submit(_execute, url, statement))
            for future in indexed:
                future.result()
        for statement in add_indexes.values():
            cursor.execute(statement)


def _connect(url: str) -> "pymysql.Connection[Any]":
    parts = urlsplit(url)
    return pymysql.connect(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 3306,
        user=unquote(parts.username or ""),
        # A str would be encoded in Latin-1.
        password=unquote(parts.password or "").encode(),
        database=unquote(parts.path.lstrip("/")),
        charset="utf8mb4",
        local_infile=True,
        # Strict whatever the server's setting is: a value that does not fit is a bug in the generator.
        sql_mode="STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO",
    )


def check_mysql(url: str) -> None:
    """Raise WorldExists if the database has any table of the schema."""
    tables = {statement.split()[2] for statement in statements("mysql")[0]}
    with closing(_connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW TABLES")
        existing = sorted(tables.intersection(name for (name,) in cursor.fetchall()))
    if existing:
        raise WorldExists(f"The database has these tables already: {', '.join(existing)}.")


def _execute(url: str, statement: str) -> None:
    with closing(_connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)


def _committed(connection: "pymysql.Connection[Any]", store: Callable[[], None]) -> None:
    store()
    connection.commit()


def _load_data(cursor: Any, target: str, batch: list[Row]) -> Callable[[], None]:
    """Write a batch to a file. Return a function that loads the file."""
    table, columns = target.split(" ", 1)
    file = tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="\n", suffix=".tsv")  # noqa: SIM115
    file.writelines(map(_tsv_line, batch))
    file.flush()

    def load() -> None:
        with file:
            cursor.execute(
                f"LOAD DATA LOCAL INFILE %s INTO TABLE {table} CHARACTER SET utf8mb4 {columns}", (file.name,)
            )
        # With LOCAL, an error in a row is only a warning.
        if cursor.rowcount != len(batch) or cursor.execute("SHOW WARNINGS"):
            raise ValueError(f"{table} did not take every row as it is: {cursor.fetchone()}")

    return load


def _tsv_line(row: Row) -> str:
    return (
        "\t".join([v.translate(TSV) if isinstance(v, str) else r"\N" if v is None else str(v) for v in row]) + "\n"
    )


def _insert(cursor: Any, target: str, batch: list[Row]) -> Callable[[], None]:
    """Return a function that inserts a batch."""
    placeholders = ", ".join(["%s"] * len(batch[0]))
    return lambda: cursor.executemany(f"INSERT INTO {target} VALUES ({placeholders})", batch)


def load_redis(url: str, ranks: Iterable[tuple[str, str, float]]) -> None:
    """Add every (key, member, score) to the sorted set `key`. Raise WorldExists if such a key exists."""
    boards: dict[str, dict[str, float]] = {}
    for key, member, score in ranks:
        boards.setdefault(key, {})[member] = score
    check_redis(url, boards)
    with closing(redis.Redis.from_url(url)) as client:
        pipeline = client.pipeline(transaction=False)
        for key, members in boards.items():
            for batch in _batches(members.items(), BATCH):
                pipeline.zadd(key, dict(batch))
        pipeline.execute()


def check_redis(url: str, keys: Iterable[str]) -> None:
    """Raise WorldExists if Redis has any of the keys."""
    with closing(redis.Redis.from_url(url)) as client:
        existing = [key for key in keys if client.exists(key)]
    if existing:
        raise WorldExists(f"Redis has these keys already: {', '.join(existing)}.")


def write_files(folder: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write each (relative path, content) below `folder`. No file is ever incomplete.

    A file that exists with the same content, as after an interrupted build, is left alone.
    Raise WorldExists if it has other content.
    """
    created: set[Path] = set()
    for relative, content in files:
        path = folder / relative
        if path.parent not in created:
            path.parent.mkdir(parents=True, exist_ok=True)
            created.add(path.parent)
        if not path.exists():
            partial = path.with_name(f".{path.name}.tmp")
            try:
                partial.write_bytes(content)
                os.replace(partial, path)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
        elif path.read_bytes() != content:
            raise WorldExists(f"{path} exists already, with other content.")
