"""Whether the database has the tables and columns that this service reads, as the stock schema has them."""

import re
from collections.abc import AsyncIterator, Iterable, Iterator

import msgspec

from checks import expected
from checks.expected import StockColumn
from checks.findings import Finding, error, ok, warning
from storage.database import catalogue
from storage.database.catalogue import Column
from storage.database.database import Database
from storage.database.failures import number_of

# The columns there are, those of the stock schema, and the statements that read a column; by table and column.
Columns = dict[str, dict[str, Column]]
Stock = dict[str, dict[str, StockColumn]]
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
    "a whole number": {"tinyint", "smallint", "mediumint", "int", "integer", "bigint", "bit"},
    "a number": {"float", "double", "decimal"},
    "a text": {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"},
    "a date with time": {"datetime", "timestamp"},
}
# What a NULL can be replaced by if the column has no default.
SUBSTITUTES = {"a whole number": "0", "a number": "0", "a text": "''", "a date with time": "'1970-01-02 00:00:00'"}
# Names of columns that are keywords of SQL.
RESERVED = {"desc"}
# The server's errors for a table or a column that a user may not read, and the user in their messages.
DENIED = {1142, 1143}
USER = re.compile(r"'[^']*'@'[^']*'")


async def run(database: Database) -> list[Finding]:
    """Check the tables and the columns."""
    there: Columns = {}
    for column in await database.all(catalogue.schema_columns):
        there.setdefault(column.table_name, {})[column.column_name] = column
    read = catalogue.columns_read()
    findings = await _missing(database, there, read)
    if not there.keys() & read.keys():
        return [finding for finding in findings if finding.code == "schema.no-grant"] or [_no_tables(there)]
    stock = expected.tables()
    findings += _extra(there, stock)
    if not database.is_sqlite:
        findings += [*_other_types(there, read, stock), *_nullable(there, read, stock)]
        findings += [finding async for finding in _collations(database, there, stock)]
    if all(finding.level == "ok" for finding in findings):
        found = {table: len(columns) for table, columns in read.items() if table in there}
        findings.insert(
            0, ok("schema.complete", f"all {sum(found.values())} columns of {len(found)} tables are there")
        )
    return findings


async def _missing(database: Database, there: Columns, read: Uses) -> list[Finding]:
    """Find tables and columns that are missing, and those that this user may not read. Neither are listed."""
    findings = []
    denied: dict[str, BaseException] = {}
    unanswered: set[str] = set()
    for table, columns in sorted(read.items()):
        for column in sorted(columns.keys() - there[table].keys()) if table in there else [None]:
            statements = columns[column] if column else set.union(*columns.values())
            refusal = await database.refusal(catalogue.readable(table, column or min(columns)))
            if refusal and number_of(refusal) in DENIED:
                denied[table] = refusal
                unanswered |= statements
            else:
                findings.append(_not_there(table, column, statements))
    if denied:
        text = f"its user may not read {_listed(denied)}; {_listed(unanswered)} cannot be answered"
        found = USER.search(str(next(iter(denied.values()))))
        user = found[0] if found else "DB_USER"
        grants = " ".join(f"GRANT SELECT ON {table} TO {user};" for table in denied)
        findings.append(error("schema.no-grant", text, f"run: {grants}"))
    return findings


def _not_there(table: str, column: str | None, statements: set[str]) -> Finding:
    cannot = f"{_listed(statements)} cannot be answered"
    if column is None and table in catalogue.optional_tables():
        text = f"table {table} is missing, as in old databases and some forks: {_listed(statements)} find no rows"
        return ok("schema.table-absent", text)
    if column is None:
        text = f"table {table} is missing; {cannot}"
        return error("schema.table-missing", text, "update the game server or make up for its migrations")
    since = SINCE.get(column)
    advice = f" (stock has it since version {since})" if since else ""
    text = f"column {table}.{column} is missing; {cannot}"
    return error("schema.column-missing", text, f"update the game server or add the column{advice}")


def _no_tables(there: Columns) -> Finding:
    text = "none of the game server's tables is in this database"
    if there:
        text += f", but {len(there)} tables of another program, such as {_listed(sorted(there)[:3])}"
    return error("schema.no-tables", text, "is DB_NAME the database of the game server?")


def _extra(there: Columns, stock: Stock) -> Iterator[Finding]:
    for name, columns in stock.items():
        extra = [column for column in there.get(name, {}) if column not in columns]
        if extra:
            text = f"{name} also has {', '.join(extra)}; extra columns do no harm, and only scores.pinned is read"
            yield ok("schema.extra-columns", text)


def _other_types(there: Columns, read: Uses, stock: Stock) -> Iterator[Finding]:
    for table, columns in sorted(read.items()):
        for name in sorted(columns.keys() & there.get(table, {}).keys()):
            column, expected_column = there[table][name], stock[table][name]
            right = kind(expected_column.type)
            if kind(column.column_type) != right:
                text = (
                    f"{table}.{name} is {column.column_type}, where {expected_column.type} is expected: lists may"
                    f" be sorted wrongly and slow, and a value that is not {right} is answered as if it were NULL"
                )
                changed = msgspec.structs.replace(column, column_type=expected_column.type)
                yield warning("schema.column-type", text, f"run: ALTER TABLE {table} {_modify(changed, stock)};")


def _nullable(there: Columns, read: Uses, stock: Stock) -> Iterator[Finding]:
    for table, columns in sorted(read.items()):
        nullable = [
            column
            for name, column in there.get(table, {}).items()
            if name in columns and column.nullable and "NOT NULL" in stock[table][name].rest
        ]
        if nullable:
            names = [column.column_name for column in nullable]
            text = (
                f"{_listed(f'{table}.{name}' for name in names)} may be NULL, unlike in the stock schema: answered"
                " as 0, an empty text or null, and left out by filters"
            )
            updates = [
                f"UPDATE {table} SET {_quoted(name)} = {_substitute(stock[table][name])}"
                f" WHERE {_quoted(name)} IS NULL;"
                for name in names
            ]
            changes = ", ".join(_modify(column, stock) for column in nullable)
            yield warning("schema.nullable", text, f"run: {' '.join(updates)} ALTER TABLE {table} {changes};")


async def _collations(database: Database, there: Columns, stock: Stock) -> AsyncIterator[Finding]:
    """Find texts that statements compare although their collations differ."""
    compared = expected.columns_compared()
    for (table, name, other_table, other_name), statements in sorted(compared.items()):
        column, other = there.get(table, {}).get(name), there.get(other_table, {}).get(other_name)
        if not column or not other or None in (column.collation, other.collation):
            continue
        if column.collation == other.collation:
            continue
        collation = _common_collation(column, compared, there)
        pair = f"{table}.{name} ({column.collation}) and {other_table}.{other_name} ({other.collation})"
        changes = [
            f"ALTER TABLE {one.table_name} {_modify(msgspec.structs.replace(one, collation=collation), stock)};"
            for one in (column, other)
            if one.collation != collation
        ]
        advice = f"run: {' '.join(changes)}"
        if await database.refusal(catalogue.comparable(table, name, other_table, other_name)):
            text = f"{pair} cannot be compared; {_listed(statements)} cannot be answered"
            yield error("schema.collations", text, advice)
        else:
            text = f"{pair} are compared without an index; {_listed(statements)} may be slow"
            yield warning("schema.collations", text, advice)


def _common_collation(column: Column, compared: expected.Comparisons, there: Columns) -> str | None:
    """Return the collation that most of a column and those compared with it have.

    If several are as common, return that of the last column by the name of its table: then `maps` must be changed,
    and not `scores`, which is larger.
    """
    place = column.table_name, column.column_name
    others = [there.get(table, {}).get(name) for *left, table, name in sorted(compared) if tuple(left) == place]
    collations = [one.collation for one in (column, *others) if one and one.collation]
    return max(reversed(collations), key=collations.count)


def _modify(column: Column, stock: Stock) -> str:
    """Return the clause that makes a column as in the stock schema, but with its own type and collation."""
    name, definition = column.column_name, column.column_type
    if kind(definition) == "a text":
        # Without either, it would get the character set of the table.
        definition += f" COLLATE {column.collation}" if column.collation else " CHARACTER SET utf8mb4"
    return f"MODIFY {_quoted(name)} {definition} {stock[column.table_name][name].rest}"


def _quoted(column: str) -> str:
    return f"`{column}`" if column in RESERVED else column


def _substitute(column: StockColumn) -> str:
    _, default, value = column.rest.partition("DEFAULT ")
    return value if default else SUBSTITUTES[kind(column.type)]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def kind(column_type: str) -> str:
    """Return what a column of this type holds, in words; the name of the type if it is not known."""
    name = re.split(r"[ (]", column_type.lower())[0]
    return next((words for words, names in KINDS.items() if name in names), name)
