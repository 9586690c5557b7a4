"""Whether the database has the keys and indexes of the stock schema, and the recommended ones."""

import re
from collections.abc import Iterable
from contextlib import suppress

from checks import costs, expected
from checks.expected import Index
from checks.findings import Finding, ok, warning
from domain.errors import Unavailable
from storage.database import catalogue
from storage.database.catalogue import IndexColumn
from storage.database.database import Database

# The columns of each index, with DESC after those that are descending, by table and name.
Indexes = dict[str, dict[str, tuple[str, ...]]]
# Tables that take too long to look for duplicates in.
LARGE = {"scores"}


async def run_keys(database: Database) -> list[Finding]:
    """Check for the primary and unique keys of the tables that this service reads, optional ones aside."""
    if database.is_sqlite:
        return []
    tables = await _tables(database) - catalogue.optional_tables()
    rows = await database.all(catalogue.schema_indexes)
    there, unique = _by_table(rows), _by_table(row for row in rows if row.is_unique)
    findings = []
    for key in expected.unique_keys():
        keys = unique.get(key.table, {})
        # A key on a part of the columns is as good.
        if key.table in tables and not any(set(columns) <= set(key.columns) for columns in keys.values()):
            primary = keys.get("PRIMARY", ())
            if key.table == "stats" and set(primary) > set(key.columns):
                findings.append(await _key_of_fork(database, primary))
            else:
                findings.append(await _missing_key(database, key, primary, there.get(key.table, {})))
    return findings


async def _tables(database: Database) -> set[str]:
    """Return the tables that this service reads, if they have all columns that it reads.

    Of a column that its user may not read, the server does not tell in which indexes it is.
    """
    there = {(column.table_name, column.column_name) for column in await database.all(catalogue.schema_columns)}
    read = catalogue.columns_read()
    return {table for table, columns in read.items() if there >= {(table, column) for column in columns}}


async def _key_of_fork(database: Database, columns: tuple[str, ...]) -> Finding:
    text = f"stats has its rows by ({', '.join(columns)}), stock by (id, mode)"
    row = await database.one(catalogue.stats_repeated)
    if row is None:
        return ok("schema.key", f"{text}; so far no player has several in one mode")
    text = f"{text}; player {row.id} has several in mode {row.mode}, of which the one with the most pp is answered"
    advice = "this service cannot tell them apart: leave `api.` to the fork's own API"
    return warning("schema.key", text, advice)


async def _missing_key(
    database: Database, key: Index, primary: tuple[str, ...], there: dict[str, tuple[str, ...]]
) -> Finding:
    text = f"{key.table} has no unique key on ({', '.join(key.columns)})"
    if key.columns not in _prefixes(there):
        text += ", and looking for a row by it reads all of them"
    # A table has one primary key.
    advice = key.statement.replace("PRIMARY KEY", "UNIQUE KEY") if primary else key.statement
    repeated = None
    if key.table not in LARGE:
        with suppress(Unavailable):
            repeated = await database.one(catalogue.repeated(key.table, key.columns))
    if repeated and repeated.total:
        text += f"; values that occur in several rows: {repeated.total}, and one row of each is answered"
        return warning("schema.key-missing", text, f"delete the other rows, then run: {advice}")
    return warning("schema.key-missing", text, f"run: {advice}")


async def run(database: Database) -> list[Finding]:
    """Check for the indexes of the stock schema, for those of sql/indexes.sql, and for those it had earlier."""
    if database.is_sqlite:
        return []
    tables = await _tables(database)
    there = _by_table(await database.all(catalogue.schema_indexes))
    stock = [index for index in expected.stock_indexes() if index.table in tables]
    findings = [
        warning(
            "indexes.stock-missing",
            f"none on {index.table} ({', '.join(index.columns)}), unlike the stock schema: reading by it is slow",
            f"run: {index.statement}",
        )
        for index in stock
        if index.columns not in _prefixes(there.get(index.table, {}))
    ]
    findings += await _recommended(database, there)
    findings += [
        warning(
            "indexes.obsolete",
            f"{index.name} on {index.table}, which an earlier version recommended, is not used any more",
            f"run: {index.statement}",
        )
        for index in expected.obsolete_indexes()
        if index.name in there.get(index.table, {})
    ]
    return findings


async def _recommended(database: Database, there: Indexes) -> list[Finding]:
    version = await database.one(catalogue.server_version)
    descending = version is not None and _keeps_descending(version.version)
    recommended = expected.indexes()
    missing = [
        index
        for index in recommended
        if _kept(index.columns, descending=descending) not in _prefixes(there.get(index.table, {}))
    ]
    if not missing:
        return [ok("indexes.complete", f"all {len(recommended)} of sql/indexes.sql are there, or better ones")]
    prices = await costs.of(database, missing)
    findings = []
    for index in missing:
        text = (
            f"none on {index.table} ({', '.join(index.columns)}): without it, {index.reason}, {prices[index.name]}"
        )
        statement = index.statement
        if index.name in there.get(index.table, {}):
            # An older server, before an update, has ignored DESC.
            text = f"{index.name} has other columns, or another order: {text}"
            statement = f"DROP INDEX {index.name} ON {index.table}; {statement}"
        findings.append(warning("indexes.missing", text, f"run: {statement}"))
    return findings


def _keeps_descending(version: str) -> bool:
    """Return whether a server of this version has indexes whose columns are descending."""
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    return numbers >= ((10, 8) if "mariadb" in version.lower() else (8, 0))


def _kept(columns: tuple[str, ...], *, descending: bool) -> tuple[str, ...]:
    return columns if descending else tuple(column.removesuffix(" DESC") for column in columns)


def _prefixes(indexes: dict[str, tuple[str, ...]]) -> set[tuple[str, ...]]:
    """Return every beginning of the columns of every index. One that goes on with other columns serves as well."""
    return {columns[:end] for columns in indexes.values() for end in range(1, len(columns) + 1)}


def _by_table(rows: Iterable[IndexColumn]) -> Indexes:
    indexes: Indexes = {}
    for row in rows:
        of_table = indexes.setdefault(row.table_name, {})
        column = f"{row.column_name or ''}{' DESC' if row.is_descending else ''}"
        of_table[row.index_name] = (*of_table.get(row.index_name, ()), column)
    return indexes
