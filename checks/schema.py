"""Whether the database has the tables, columns and indexes that this service needs."""

import re
from collections.abc import Iterable

from checks import expected
from checks.findings import Finding, error, ok, warning
from storage.database import catalogue
from storage.database.catalogue import IndexColumn
from storage.database.database import Database

# The types of the columns, and the statements that read them, by table and column.
Types = dict[str, dict[str, str]]
Uses = dict[str, dict[str, set[str]]]
# The version of bancho.py that added a column.
SINCE = {
    "total_hits": "4.1.1",
    "replay_views": "4.1.2",
    "preferred_mode": "4.1.3",
    "play_style": "4.1.3",
    "custom_badge_name": "4.1.3",
    "custom_badge_icon": "4.1.3",
    "userpage_content": "4.1.3",
}
KINDS = {
    "a whole number": {"tinyint", "smallint", "mediumint", "int", "integer", "bigint"},
    "a number": {"float", "double", "decimal"},
    "a text": {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"},
    "a date with time": {"datetime", "timestamp"},
}


async def run(database: Database) -> list[Finding]:
    """Check the tables, the columns, and the one primary key that forks are known to change."""
    there: Types = {}
    for column in await database.all(catalogue.schema_columns):
        there.setdefault(column.table_name, {})[column.column_name] = column.column_type
    read = expected.columns_read()
    if not there.keys() & read.keys():
        text = "none of the game server's tables is in this database"
        return [error("schema.no-tables", text, "is DB_NAME the database of the game server?")]
    stock = expected.tables()
    findings = [*_missing(there, read), *_extra(there, stock)]
    if not database.is_sqlite:
        findings += [*_other_types(there, read, stock), *await _keys(database)]
    if all(finding.level == "ok" for finding in findings):
        columns = sum(len(columns) for columns in read.values())
        findings.insert(0, ok("schema.complete", f"all {columns} columns of {len(read)} tables are there"))
    return findings


def _missing(there: Types, read: Uses) -> Iterable[Finding]:
    for table, columns in sorted(read.items()):
        if table not in there:
            users = ", ".join(sorted(set.union(*columns.values())))
            text = f"table {table} is missing; {users} cannot be answered"
            yield error("schema.table-missing", text, "update the game server or make up for its migrations")
            continue
        for column, statements in sorted(columns.items()):
            if column not in there[table]:
                text = f"column {table}.{column} is missing; {', '.join(sorted(statements))} cannot be answered"
                since = SINCE.get(column)
                advice = f" (stock has it since version {since})" if since else ""
                yield error("schema.column-missing", text, f"update the game server or add the column{advice}")


def _extra(there: Types, stock: Types) -> Iterable[Finding]:
    for name, columns in stock.items():
        extra = [column for column in there.get(name, {}) if column not in columns]
        if extra:
            yield ok("schema.extra-columns", f"{name} also has {', '.join(extra)}; not read, and no harm")


def _other_types(there: Types, read: Uses, stock: Types) -> Iterable[Finding]:
    for table, columns in sorted(read.items()):
        for column in sorted(columns):
            expected_type, actual_type = stock[table][column], there.get(table, {}).get(column, "")
            if actual_type and kind(expected_type) != kind(actual_type):
                text = f"{table}.{column} is {actual_type}, where {expected_type} is expected"
                advice = f"make it {kind(expected_type)} again; answers with it may fail, or be sorted wrongly"
                yield warning("schema.column-type", text, advice)


def kind(column_type: str) -> str:
    """Return what a column of this type holds, in words; the name of the type if it is not known."""
    name = re.split(r"[ (]", column_type.lower())[0]
    return next((words for words, names in KINDS.items() if name in names), name)


async def _keys(database: Database) -> list[Finding]:
    keys = [
        row.column_name
        for row in await database.all(catalogue.schema_indexes)
        if (row.table_name, row.index_name) == ("stats", "PRIMARY")
    ]
    if not keys or set(keys) == {"id", "mode"}:
        return []
    text = f"stats has its rows by ({', '.join(str(key) for key in keys)}), stock by (id, mode)"
    row = await database.one(catalogue.stats_repeated)
    if row is None:
        return [ok("schema.key", f"{text}; so far no player has several in one mode")]
    text = f"{text}; player {row.id} has several in mode {row.mode}, which are all taken for theirs"
    advice = "this service cannot tell them apart: leave `api.` to the fork's own API"
    return [warning("schema.key", text, advice)]


async def run_indexes(database: Database) -> list[Finding]:
    """Check for the indexes of sql/indexes.sql."""
    if database.is_sqlite:
        return []
    there = _prefixes(await database.all(catalogue.schema_indexes))
    indexes = expected.indexes()
    # An index that goes on with other columns serves as well.
    missing = [index for index in indexes if index.columns not in there.get(index.table, ())]
    if not missing:
        return [ok("indexes.complete", f"all {len(indexes)} of sql/indexes.sql are there, or better ones")]
    return [
        warning(
            "indexes.missing",
            f"none on {index.table} ({', '.join(index.columns)}); {index.reason}",
            f"run: {index.statement}",
        )
        for index in missing
    ]


def _prefixes(rows: Iterable[IndexColumn]) -> dict[str, set[tuple[str, ...]]]:
    """Return every beginning of the columns of every index, by table."""
    columns: dict[tuple[str, str], tuple[str, ...]] = {}
    prefixes: dict[str, set[tuple[str, ...]]] = {}
    for row in rows:
        key = (row.table_name, row.index_name)
        columns[key] = (*columns.get(key, ()), row.column_name or "")
        prefixes.setdefault(row.table_name, set()).add(columns[key])
    return prefixes
