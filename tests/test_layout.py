"""The shape of the code: imports run one way, the tables are complete, statements and Structs agree."""

import ast
import asyncio
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from msgspec import NODEFAULT, UnsetType

from storage.database import catalogue
from storage.database.database import Change, Database, Query
from storage.database.statement import FOLDER, for_mysql, read, values_of

ROOT = Path(__file__).parent.parent
# What each package may import of the others; main.py may import them all.
MAY_IMPORT = {
    "domain": set[str](),
    "config": {"domain"},
    "replays": {"config", "domain"},
    "storage": {"config", "domain"},
    "api": {"config", "domain", "replays", "storage"},
    "demo": {"config", "domain", "replays", "storage"},
    "checks": {"api", "config", "demo", "domain", "replays", "storage"},
}
OURS = {*MAY_IMPORT, "main", "tests"}
PURE = {"domain"}
TEXTS = {"artist", "country", "creator", "filename", "key", "map_md5", "md5", "pattern", "safe_name", "server"}
MODULES = [
    ROOT / "main.py",
    *(file for folder in MAY_IMPORT for file in sorted((ROOT / folder).rglob("*.py"))),
]
SERVICE = [file for file in MODULES if file.parent.name != "demo"]


def imported(file: Path) -> Iterator[str]:
    """The modules a file imports."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            yield node.module or ""


def queries() -> dict[str, Query[Any]]:
    """Every statement of the catalogue, by the name it has there."""
    found: dict[str, Query[Any]] = {}
    for name, value in vars(catalogue).items():
        if isinstance(value, Query):
            found[name] = value
        elif isinstance(value, dict) and not name.startswith("__"):
            found |= {f"{name}[{key}]": query for key, query in value.items() if isinstance(query, Query)}
    return found


def columns_of(shape: type[msgspec.Struct], prefix: str = "") -> Iterator[str]:
    """The columns a row needs to become `shape`: fields with a default of their own are derived from others."""
    hints = get_type_hints(shape)
    for field in msgspec.structs.fields(shape):
        options = get_args(hints[field.name]) if get_origin(hints[field.name]) in (Union, UnionType) else ()
        kinds = options or (hints[field.name],)
        if field.default is not NODEFAULT and UnsetType not in kinds:
            continue
        nested = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, msgspec.Struct)]
        if nested:
            yield from columns_of(nested[0], f"{prefix}{field.name}__")
        else:
            yield prefix + field.name


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_run_one_way(file: Path) -> None:
    folder = file.relative_to(ROOT).parts[0].removesuffix(".py")
    packages = {name.partition(".")[0] for name in imported(file)}
    if folder != "main":
        assert packages & OURS - {folder} <= MAY_IMPORT[folder]
    assert "tests" not in packages
    if folder in PURE:
        assert packages - OURS <= {*sys.stdlib_module_names, "msgspec"}


def test_one_file_knows_the_database_library() -> None:
    knowing = {file.name for file in SERVICE if "databases" in set(imported(file))}
    assert knowing == {"database.py"}


def test_two_files_read_the_environment() -> None:
    reading = {
        str(file.relative_to(ROOT))
        for file in SERVICE
        if re.search(r"os\.environ|getenv", file.read_text("utf-8"))
    }
    assert reading == {"config/environment.py", "main.py"}


def test_every_file_of_sql_is_in_the_catalogue_and_back() -> None:
    changes = {value.name for value in vars(catalogue).values() if isinstance(value, Change)}
    in_catalogue = {query.name for query in queries().values()} | changes
    assert {file.name.split(".")[0] for file in FOLDER.glob("*.sql") if file.stem != "indexes"} == in_catalogue


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.sql")), ids=lambda file: file.name)
def test_a_statement_says_which_question_it_answers_and_names_its_columns(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.startswith("-- ")
    assert "*" not in re.sub(r"COUNT\(\*\)|/\*!.*?\*/", "", text)
    question = text[: text.find("\n", text.find("?"))]
    assert all(line.startswith("--") for line in question.splitlines())


@pytest.mark.parametrize("name", queries())
def test_columns_equal_fields(name: str, recorded_sqlite: str, recorded_mysql: str) -> None:
    query = queries()[name]
    # A statement that answers for both versions has the columns of both.
    rows = [set(columns_of(each.row)) for each in queries().values() if each.name == query.name]
    for url in (recorded_sqlite, recorded_mysql):
        assert sorted(asyncio.run(columns(url, query))) == sorted(set.union(*rows))


async def columns(url: str, query: Query[Any]) -> list[str]:
    """The columns a database answers with."""
    database = Database(url)
    await database.connect()
    try:
        shape, _ = await database._run(query, {name: "x" if name in TEXTS else 1 for name in query.values})
        return shape.names
    finally:
        await database.disconnect()


@pytest.mark.parametrize("name", queries())
def test_both_dialects_bind_the_same_values(name: str) -> None:
    query = queries()[name]
    assert query.mysql % dict.fromkeys(query.values, 1)
    assert {value for value in query.values if f"%({value})s" in query.mysql} == query.values


@pytest.mark.parametrize("values", [{}, {"id": 1}, {"id": 1, "visible": 3, "limit": 1}])
def test_one_value_too_many_or_too_few_is_a_mistake_of_ours(values: dict[str, int], recorded_sqlite: str) -> None:
    async def ask() -> None:
        database = Database(recorded_sqlite)
        await database.connect()
        try:
            await database.one(catalogue.clan, **values)
        finally:
            await database.disconnect()

    with pytest.raises(TypeError, match=r"clan binds \['id', 'visible'\]"):
        asyncio.run(ask())


def test_statements_are_read_with_care() -> None:
    text = "SELECT ':no', '--no' , a % 2 , b::text FROM t WHERE c = :c AND d = ':no''s' -- :no"
    assert values_of(text.partition(" -- ")[0]) == {"c"}
    assert for_mysql("a % :b ':c'") == "a %% %(b)s ':c'"
    # A hint to MySQL is no comment to be left out.
    assert " LEFT JOIN clans c /*! FORCE INDEX FOR JOIN (PRIMARY) */ ON " in catalogue.leaderboard["pp"].mysql
    assert "-- " not in catalogue.leaderboard["pp"].mysql
    with pytest.raises(FileNotFoundError):
        read("no_such_statement", "mysql", {})


@pytest.mark.parametrize("file", SERVICE, ids=lambda file: str(file.relative_to(ROOT)))
def test_functions_stay_small(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 45, node.name
