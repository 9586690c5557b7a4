"""The tables in sql/schema/."""

import sqlite3
from contextlib import closing
from pathlib import Path

SCHEMA = Path(__file__).resolve().parent.parent / "sql" / "schema"


def statements(dialect: str) -> tuple[list[str], list[str]]:
    """Return the statements that create the tables of `mysql` or `sqlite`, and those that add the indexes."""
    text = (SCHEMA / f"{dialect}.sql").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("--")]
    every = [s for s in "\n".join(lines).rstrip(";").split(";\n") if s]
    tables = [s for s in every if s.startswith("CREATE TABLE")]
    return tables, [s for s in every if s not in tables]


def columns(table: str) -> list[str]:
    """Return the columns of a table in the order of the schema, which is that of the values in a `Row`."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in statements("sqlite")[0]:
            connection.execute(statement)
        return [name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))]
