"""The shape of the code: imports run one way, the tables are complete, statements and Structs agree."""

import ast
import asyncio
import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from msgspec import NODEFAULT, UnsetType

from storage.database import catalogue
from storage.database.database import Database, Query
from storage.database.statement import FOLDER, for_mysql, read, values_of
from tests.support import conformance, mariadbd
from tests.support.servers import MariaDB

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
# What a version of the API must not import: the others, and what they share imports none of them.
VERSIONS = {"api.v1", "api.v2", "api.osu_v1"}
INDEPENDENT = {version: VERSIONS - {version} for version in VERSIONS} | {"api.reads": VERSIONS}
OURS = {*MAY_IMPORT, "main", "bench", "faults", "fuzz", "examples", "tests"}
PURE = {"domain"}
# Fields that no column has and some responses leave out.
SET_LATER = {"has_replay", "weight", "weighted_pp"}
# Folders of tests/ that mirror no folder of the product.
ONLY_TESTS = {"slow", "support", "conformance"}
TEXTS = {"artist", "country", "creator", "filename", "key", "map_md5", "md5", "pattern", "safe_name", "server"}
MODULES = [
    ROOT / "main.py",
    *(file for folder in MAY_IMPORT for file in sorted((ROOT / folder).rglob("*.py"))),
]
SERVICE = [file for file in MODULES if file.parent.name != "demo"]


def path_of(file: Path) -> str:
    return str(file.relative_to(ROOT))


def imported(file: Path) -> Iterator[str]:
    """The modules a file imports, each with the imported name: `from api import health` yields `api.health`."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path_of(file)}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(module: str) -> str:
    """The room that a module of ours is in: a folder of a package, or a file directly in a package."""
    package, *inside = module.split(".")
    is_room = inside and ((ROOT / package / inside[0]).is_dir() or (ROOT / package / f"{inside[0]}.py").exists())
    return f"{package}.{inside[0]}" if is_room else package


def arrows() -> Iterator[tuple[str, str, str]]:
    """Which room imports which other room, and the file in which it does."""
    for file in MODULES:
        importer = room(".".join(file.relative_to(ROOT).with_suffix("").parts))
        for module in imported(file):
            if module.partition(".")[0] in OURS and room(module) != importer:
                yield importer, room(module), path_of(file)


def queries() -> dict[str, Query[Any]]:
    """Every query of the catalogue, by the name it has there, and of those that are made for a table, one each."""
    made = {
        "readable": catalogue.readable("users", "id"),
        "comparable": catalogue.comparable("maps", "md5", "scores", "map_md5"),
        "repeated": catalogue.repeated("stats", ("id", "mode")),
    }
    return made | {name: query for name, query in catalogue.statements() if isinstance(query, Query)}


def columns_of(shape: type[msgspec.Struct], prefix: str = "") -> Iterator[str]:
    """The columns a row needs to become `shape`: fields with a default of their own are derived from others."""
    hints = get_type_hints(shape)
    for field in msgspec.structs.fields(shape):
        options = get_args(hints[field.name]) if get_origin(hints[field.name]) in (Union, UnionType) else ()
        kinds = options or (hints[field.name],)
        if field.name in SET_LATER or (field.default is not NODEFAULT and UnsetType not in kinds):
            continue
        nested = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, msgspec.Struct)]
        if nested:
            yield from columns_of(nested[0], f"{prefix}{field.name}__")
        else:
            yield prefix + field.name


def test_no_package_imports_one_above_it() -> None:
    wrong = [
        f"{file} imports {there}: MAY_IMPORT in tests/test_layout.py forbids it"
        for here, there, file in arrows()
        if not file.startswith("main")
        and there.partition(".")[0] not in {here.partition(".")[0], *MAY_IMPORT[here.partition(".")[0]]}
    ]
    wrong += [f"{file} imports {there}" for _, there, file in arrows() if there.partition(".")[0] == "tests"]
    assert not wrong, "\n".join(wrong)


def test_no_rooms_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for here, there, _ in arrows():
        graph.setdefault(here, set()).add(there)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        # Each room in the list is imported by the next one.
        ring = list(zip(error.args[1][1:], error.args[1], strict=False))
        files = [file for here, there, file in arrows() if (here, there) in ring]
        pytest.fail(f"{' <- '.join(error.args[1])}: break this circle of imports in one of {files}")


def test_the_versions_of_the_api_do_not_import_each_other() -> None:
    wrong = [f"{file} imports {there}" for here, there, file in arrows() if there in INDEPENDENT.get(here, ())]
    assert not wrong, "\n".join([*wrong, "What versions share is in api/reads/ and domain/"])


def test_the_domain_imports_nothing_but_msgspec() -> None:
    for file in MODULES:
        if file.relative_to(ROOT).parts[0] in PURE:
            packages = {name.partition(".")[0] for name in imported(file)}
            assert packages - OURS <= {*sys.stdlib_module_names, "msgspec"}, path_of(file)


@pytest.mark.parametrize("folder", [*MAY_IMPORT, "bench", "faults", "fuzz", "examples"])
def test_a_package_says_in_one_line_what_it_is_for(folder: str) -> None:
    for directory in {file.parent for file in (ROOT / folder).rglob("*.py")}:
        file = directory / "__init__.py"
        assert file.exists(), f"{path_of(file)} is missing: a docstring of one line"
        text = file.read_text(encoding="utf-8")
        body = ast.parse(text).body
        only_docstring = len(body) == 1 and ast.get_docstring(ast.parse(text)) is not None
        assert only_docstring, f"{path_of(file)} holds more or less than a docstring"
        assert text.count("\n") == 1, f"{path_of(file)} has more than one line"


def test_main_is_the_only_module_at_the_top() -> None:
    assert [file.name for file in ROOT.glob("*.py")] == ["main.py"]


def test_the_tests_mirror_the_tree() -> None:
    tests = ROOT / "tests"
    folders = {file.parent.relative_to(tests) for file in tests.rglob("*.py")} - {Path()}
    mirrored = {folder for folder in folders if folder.parts[0] not in ONLY_TESTS}
    alone = {str(folder) for folder in mirrored if not (ROOT / folder).is_dir()}
    assert alone == set(), "a folder of tests/ has the name of the folder that it tests"


def test_one_file_knows_the_database_library() -> None:
    knowing = {path_of(file) for file in SERVICE if "databases" in {n.partition(".")[0] for n in imported(file)}}
    assert knowing == {"storage/database/database.py"}


def test_two_files_read_the_environment() -> None:
    reading = {path_of(file) for file in SERVICE if re.search(r"os\.environ|getenv", file.read_text("utf-8"))}
    assert reading == {"config/sources.py", "main.py"}


def test_every_file_of_sql_is_in_the_catalogue() -> None:
    # The catalogue itself does not import without the file of each of its statements.
    in_catalogue = {statement.name for _, statement in catalogue.statements()} | queries().keys()
    files = {file.name.split(".")[0]: file for file in FOLDER.glob("*.sql") if file.stem != "indexes"}
    wrong = [
        f'{path_of(files[name])} is not used: add {name} = Query("{name}", <Struct of a row>) to '
        "storage/database/catalogue.py"
        for name in sorted(files.keys() - in_catalogue)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.sql")), ids=lambda file: file.name)
def test_a_statement_says_which_question_it_answers_and_names_its_columns(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    comment = "".join(re.findall(r"\A(?:--.*\n)*", text))
    assert "?" in comment, (
        f"{path_of(file)} begins with no question: write on top, as a comment, which one it answers, such as\n"
        "-- Which clans have the most members?"
    )
    assert "*" not in re.sub(r"--.*|COUNT\(\*\)", "", text), (
        f"{path_of(file)} has a *: name the columns, so that a new column of the table changes nothing"
    )


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory, mariadb: MariaDB) -> tuple[str, str]:
    """The recorded world in SQLite and MariaDB, with the columns that only forks have."""
    sqlite = f"sqlite:///{tmp_path_factory.mktemp('layout') / 'world.sqlite'}"
    mysql = mariadb.database("layout")
    add_pinned = "ALTER TABLE scores ADD COLUMN pinned tinyint(1) NOT NULL DEFAULT 0"
    for url in (sqlite, mysql):
        conformance.load(url)
    with closing(sqlite3.connect(sqlite.removeprefix("sqlite:///"))) as connection:
        connection.execute(add_pinned)
    mariadbd.execute(mysql, add_pinned)
    return sqlite, mysql


# A SHOW statement names no columns.
SELECTED = [name for name, query in queries().items() if not query.mysql.startswith("SHOW ")]


@pytest.mark.parametrize("name", SELECTED)
def test_columns_equal_fields(name: str, urls: tuple[str, str]) -> None:
    query = queries()[name]
    # A statement that answers for both versions has the columns of both.
    structs = {each.row for each in queries().values() if each.name == query.name}
    fields = set[str]().union(*(columns_of(struct) for struct in structs))
    where = " and ".join(sorted(f"{struct.__module__}.{struct.__name__}" for struct in structs))
    for url in urls:
        selected = asyncio.run(columns(url, query))
        assert len(set(selected)) == len(selected), f"sql/{query.name}.sql selects a column twice: {selected}"
        assert set(selected) == fields, (
            f"sql/{query.name}.sql and {where} differ. Columns without a field: "
            f"{sorted(set(selected) - fields) or 'none'}; fields without a column: "
            f"{sorted(fields - set(selected)) or 'none'}"
        )


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
    assert "-- " not in catalogue.leaderboard["pp"].mysql
    with pytest.raises(FileNotFoundError):
        read("no_such_statement", "mysql", {})


def test_functions_stay_small() -> None:
    for file in SERVICE:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno
                assert lines < 45, f"{path_of(file)}: {node.name} has {lines} lines, 45 are too many"
