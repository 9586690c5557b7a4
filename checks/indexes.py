"""Whether the database has the keys and indexes of the stock schema, and the recommended ones."""

from collections.abc import Iterable
from contextlib import suppress

from checks import expected
from checks.expected import Index
from checks.findings import Finding, ok, warning
from domain.errors import Unavailable
from storage.database import catalogue
from storage.database.catalogue import IndexColumn
from storage.database.database import Database

# The columns of each index, by table and name.
Indexes = dict[str, dict[str, tuple[str, ...]]]
# Tables that take too long to look for duplicates in.
LARGE = {"scores"}


async def run_keys(database: Database) -> list[Finding]:
    """Check for the primary and unique keys of the tables that this service reads."""
    if database.is_sqlite:
        return []
    tables = await _tables(database)
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
    """Check for the indexes of the stock schema, and for those of sql/indexes.sql."""
    if database.is_sqlite:
        return []
    tables = await _tables(database)
    there = _by_table(await database.all(catalogue.schema_indexes))
    stock = [index for index in expected.stock_indexes() if index.table in tables]
    recommended = expected.indexes()
    missing_stock, missing = _missing(stock, there), _missing(recommended, there)
    findings = [
        warning(
            "indexes.stock-missing",
            f"none on {index.table} ({', '.join(index.columns)}), unlike the stock schema: reading by it is slow",
            f"run: {index.statement}",
        )
        for index in missing_stock
    ]
    findings += [
        warning(
            "indexes.missing",
            f"none on {index.table} ({', '.join(index.columns)}); {index.reason}",
            f"run: {index.statement}",
        )
        for index in missing
    ]
    if not missing:
        text = f"all {len(recommended)} of sql/indexes.sql are there, or better ones"
        findings.append(ok("indexes.complete", text))
    return findings


def _missing(indexes: Iterable[Index], there: Indexes) -> list[Index]:
    # An index that goes on with other columns serves as well.
    return [index for index in indexes if index.columns not in _prefixes(there.get(index.table, {}))]


def _prefixes(indexes: dict[str, tuple[str, ...]]) -> set[tuple[str, ...]]:
    """Return every beginning of the columns of every index."""
    return {columns[:end] for columns in indexes.values() for end in range(1, len(columns) + 1)}


def _by_table(rows: Iterable[IndexColumn]) -> Indexes:
    indexes: Indexes = {}
    for row in rows:
        of_table = indexes.setdefault(row.table_name, {})
        of_table[row.index_name] = (*of_table.get(row.index_name, ()), row.column_name or "")
    return indexes
