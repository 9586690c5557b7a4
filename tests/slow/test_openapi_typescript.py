"""Types and Zod schemas generated from the OpenAPI document: TypeScript accepts them, and real answers fit."""

import json
import shutil
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.conftest import service
from tests.support import conformance
from tests.support.environments import node_packages, program, run
from tests.support.openapi import DOCUMENT, PATHS, find_operation
from tests.support.openapi_examples import WITHOUT_ANSWER, examples

HERE = Path(__file__).parent / "typescript"
# openapi-ts is the last version that runs on Node 20, typescript the last one that openapi-typescript works with.
FILES = [HERE / name for name in ("package.json", "package-lock.json", "uses.ts", "parse.mjs")]
TSC = ("--strict", "--target", "es2022", "--module", "nodenext", "--skipLibCheck")

Answer = dict[str, Any]


@pytest.fixture(scope="module")
def project(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the generators, the document, and files that use what is generated from it."""
    assert pytestconfig.cache is not None
    packages = node_packages(pytestconfig.cache, "openapi-typescript", FILES)
    folder = tmp_path_factory.mktemp("typescript")
    (folder / "node_modules").symlink_to(packages / "node_modules")
    for file in FILES:
        shutil.copy(file, folder)
    (folder / "openapi.json").write_text(json.dumps(DOCUMENT), encoding="utf-8")
    return folder


def node(folder: Path, package: str, *arguments: str | Path) -> str:
    """Run the program `package` of the folder."""
    return run([program("node"), folder / "node_modules" / ".bin" / package, *arguments])


def recorded_answers(client: httpx2.Client) -> list[Answer]:
    """Return the answers to the recorded requests that are documented and succeed."""
    answers = []
    for case in conformance.cases():
        operation = find_operation(case["method"], case["path"].partition("?")[0].replace("//", "/"))
        if operation is None or case["expect"].get("status") != 200:
            continue
        response = client.request(case["method"], case["path"], headers=case.get("headers", {}))
        if response.headers["content-type"] == "application/json":
            operation_id = operation["operationId"]
            answers.append({"id": case["id"], "operation": operation_id, "body": response.json()})
    return answers


def example_answers() -> list[Answer]:
    """Return the answers of the examples, which are those of the demo world."""
    return [
        {"id": path, "operation": operation["operationId"], "body": example["answer"]}
        for path, example in examples().items()
        if "answer" in example
        for operation in PATHS[path].values()
    ]


def test_typescript_accepts_the_generated_types(project: Path) -> None:
    node(project, "openapi-typescript", project / "openapi.json", "--output", project / "types.ts")
    node(project, "tsc", *TSC, "--noEmit", project / "types.ts", project / "uses.ts")


def test_real_answers_fit_the_generated_schemas(project: Path, recorded_sqlite: str, tmp_path: Path) -> None:
    generated = project / "generated"
    node(project, "openapi-ts", "--input", project / "openapi.json", "--output", generated, "--plugins", "zod")
    node(project, "tsc", *TSC, generated / "zod.gen.ts")
    with service(database_url=recorded_sqlite, data_directory=str(conformance.WORLD)) as client:
        answers = recorded_answers(client)
    assert len(answers) > 200
    answers += example_answers()
    assert len({answer["operation"] for answer in answers}) >= len(PATHS) - len(WITHOUT_ANSWER)
    wrong = {
        "status": "success",
        "total": 0,
        "scores": [{"pp": "1"}],
        "player": {"id": 1, "name": "", "clan": None},
    }
    answers.append({"id": "wrong", "operation": "get_player_scores", "body": wrong})
    file = tmp_path / "answers.json"
    file.write_text(json.dumps(answers), encoding="utf-8")
    problems = json.loads(run([program("node"), project / "parse.mjs", file]))
    assert "scores.0.pp: Invalid input: expected number, received string" in problems.pop("wrong")
    assert problems == {}
