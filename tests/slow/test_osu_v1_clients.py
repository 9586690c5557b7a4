"""Clients of the osu! API v1, unmodified: all their calls, and answers that are the rows of the demo world."""

import json
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.conftest import running_in
from tests.slow.osu_v1.world import Row, World
from tests.support.environments import node_packages, program, python_packages, run
from tests.support.openapi_examples import KEY

HERE = Path(__file__).parent / "osu_v1"
# The packages of each client in Python; the other ones are in JavaScript, and share theirs.
PYTHON_CLIENTS = {
    "ossapi": HERE / "ossapi.txt",
    "aiosu": HERE / "aiosu.txt",
    "circleguard": HERE.parent / "readers" / "circleguard.txt",
}
CLIENTS = (*PYTHON_CLIENTS, "node_osu", "nodesu", "osu_web")
NODE_FILES = [*sorted(HERE.glob("*.mjs")), HERE / "package.json", HERE / "package-lock.json"]


def ask(cache: pytest.Cache, client: str, site: str, questions: list[Row], key: str = KEY) -> Any:
    """Return a client's answers to the questions, or why it was refused."""
    arguments = [site, key, json.dumps(questions)]
    if client in PYTHON_CLIENTS:
        packages = python_packages(cache, PYTHON_CLIENTS[client])
        return json.loads(run([sys.executable, HERE / f"call_{client}.py", *arguments], PYTHONPATH=packages))
    folder = node_packages(cache, "osu-v1-clients", NODE_FILES)
    return json.loads(run([program("node"), folder / f"call_{client}.mjs", *arguments]))


def agree(answer: Any, expected: Any, where: str = "") -> None:
    """Check an answer, of which each object may have some of the expected fields."""
    if isinstance(answer, dict):
        assert answer, where
        for name, value in answer.items():
            agree(value, expected[name], f"{where}.{name}")
    elif isinstance(answer, list):
        assert len(answer) == len(expected), where
        for index, (each, other) in enumerate(zip(answer, expected, strict=True)):
            agree(each, other, f"{where}[{index}]")
    else:
        assert answer == (pytest.approx(expected) if isinstance(expected, float) else expected), where


@pytest.fixture(scope="module")
def cache(pytestconfig: pytest.Config) -> pytest.Cache:
    assert pytestconfig.cache is not None
    return pytestconfig.cache


@pytest.fixture(scope="module")
def world(demo_folder: Path) -> World:
    return World(demo_folder / ".data" / "demo")


@pytest.fixture(scope="module")
def questions(world: World, tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """A question for each mode of osu!, with .osr files of the two replays that it is about."""
    questions = [world.question(mode) for mode in range(4)]
    folder = tmp_path_factory.mktemp("replays")
    for question in questions:
        for name in ("score", "rival_score"):
            file = folder / f"{question[name]}.osr"
            file.write_bytes(world.sample(question[name]).whole)
            question[name.replace("score", "file")] = str(file)
    return questions


@pytest.fixture(scope="module")
def answers(
    cache: pytest.Cache, demo: httpx2.Client, questions: list[Row]
) -> Iterator[Mapping[str, Future[list[Row]]]]:
    """The answers of all clients, which ask at the same time."""
    site = str(demo.base_url)
    with ThreadPoolExecutor() as pool:
        yield {client: pool.submit(ask, cache, client, site, questions) for client in CLIENTS}


@pytest.mark.parametrize("client", CLIENTS)
def test_every_call_gives_the_rows(
    client: str, answers: Mapping[str, Future[list[Row]]], world: World, questions: list[Row]
) -> None:
    answered = answers[client].result()
    assert len(answered) == (1 if client == "circleguard" else 4)
    for question, answer in zip(questions, answered, strict=False):
        agree(answer, world.answers(question) | {"of_files": answer.get("of_files")})


def test_circleguard_calculates_the_same_as_of_the_files(answers: Mapping[str, Future[list[Row]]]) -> None:
    (answer,) = answers["circleguard"].result()
    of_files = answer["of_files"]
    assert of_files["frametime"] > 0
    assert of_files["similarity"] > 0
    assert {name: answer[name] for name in of_files} == of_files


@pytest.fixture(scope="module")
def keys_required(demo_folder: Path) -> Iterator[str]:
    """The URL of a service that insists on API keys."""
    with running_in(demo_folder, "--demo", osu_api_v1_key="required") as (client, _):
        yield str(client.base_url)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_is_told_that_its_key_is_wrong(
    client: str, cache: pytest.Cache, keys_required: str, questions: list[Row]
) -> None:
    # node-osu's error for any response that is not a 200 has this text.
    words = {"ossapi": "key", "circleguard": "key", "node_osu": "[object Object]"}
    refused = ask(cache, client, keys_required, questions[:1], key="wrong")
    assert refused == {"refused": words.get(client, "Please provide a valid API key.")}


def test_a_client_sends_its_key(
    cache: pytest.Cache, keys_required: str, world: World, questions: list[Row]
) -> None:
    (answer,) = ask(cache, "nodesu", keys_required, questions[:1])
    agree(answer, world.answers(questions[0]))


def test_ossapi_waits_when_it_is_too_fast(
    cache: pytest.Cache, demo_folder: Path, world: World, questions: list[Row]
) -> None:
    # It makes more than twenty calls one after the other, and goes on a second after each that is refused.
    limits = {"rate_limit": "2", "rate_limit_burst": "2", "rate_limit_exempt": ""}
    with running_in(demo_folder, "--demo", **limits) as (service, process):
        (answer,) = ask(cache, "ossapi", str(service.base_url), questions[:1])
        assert "status=429" in process.output()
        agree(answer, world.answers(questions[0]))
