"""Beatmap files that are made to hurt end in a clear answer within the time limit, and hurt nobody else."""

import hashlib
import os
import random
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from tests.conftest import PLAYER, Playground, playground, signed

pytestmark = pytest.mark.pp_engine

SECONDS = 2.0
# Recorded beatmaps whose files these tests replace.
BEATMAPS = [80, 82, 83, 85, 87, 88, 90, 92]
HEAD = """osu file format v14

[General]
Mode: 0

[Difficulty]
HPDrainRate:5
CircleSize:4
OverallDifficulty:8
ApproachRate:9
SliderMultiplier:1.4
SliderTickRate:1

[TimingPoints]
0,500,4,2,0,50,1,0

[HitObjects]
"""


def objects(lines: Iterator[str]) -> bytes:
    return (HEAD + "\n".join(lines)).encode()


def points(number: int) -> str:
    rng = random.Random(1)
    return "|".join(f"{rng.randrange(512)}:{rng.randrange(384)}" for _ in range(number))


# The engine reads these within the limit, whatever it makes of them.
HARMLESS = {
    "no objects": HEAD.encode(),
    "endless repeats": HEAD.encode() + b"100,100,1000,2,0,L|200:200,2147483647,100000\n",
    "endless slider": HEAD.encode() + b"100,100,1000,2,0,L|200:200,1,1e300\n",
    "not a number": HEAD.replace("0,500", "NaN,NaN").encode() + b"1,1,NaN,1,0\n2,2,1e999,1,0\n",
    "all of time": HEAD.encode() + b"1,1,-2147483648,1,0\n1,1,2147483647,1,0\n" * 10,
    "100 000 at once": objects("256,192,1000,1,0" for _ in range(100_000)),
}
# It refuses these.
UNREADABLE = {
    "empty": b"",
    "binary": random.Random(1).randbytes(200_000),
    "zeros": bytes(100_000),
    "one line": b"1" * 7_000_000,
    "too large": HEAD.encode() + b"//" * 5_000_000,
}
# It does not come back from these: out of memory, or busy for minutes.
TOO_MUCH = {
    "10 TB of ticks": HEAD.replace("TickRate:1", "TickRate:1e9").encode()
    + b"100,100,1000,2,0,L|200:200,100,131072\n" * 10,
    "2 147 483 647 columns": HEAD.replace("Mode: 0", "Mode: 3").replace("Size:4", "Size:2147483647").encode()
    + b"64,192,1000,1,0\n" * 500,
    "a curve of 60 000 points": HEAD.encode() + f"100,100,1000,2,0,B|{points(60_000)},1,10000\n".encode(),
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    folder = tmp_path_factory.mktemp("hostile")
    url = f"sqlite:///{folder / 'world.sqlite'}"
    with playground(folder, url, pp_timeout=str(SECONDS), pp_workers="1", pp_queue="4") as here:
        yield here


def plant(world: Playground, beatmap: int, content: bytes) -> None:
    """Make that the file of a beatmap, known to the database."""
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    world.sql(f"UPDATE maps SET md5 = '{md5}' WHERE id = {beatmap}")
    (world.data / "osu" / f"{beatmap}.osu").write_bytes(content)


def ask(world: Playground, beatmap: int = 78, query: str = "") -> httpx2.Response:
    return world.client.get(f"/v1/calculate_pp?id={beatmap}&acc=100{query}", headers=signed(PLAYER))


def workers(world: Playground) -> list[int]:
    """The processes that the service has started."""
    children = Path(f"/proc/{world.process.pid}/task/{world.process.pid}/children").read_text()
    return [int(child) for child in children.split()]


@pytest.fixture(autouse=True)
def unhurt(world: Playground) -> Iterator[None]:
    """After each test the service is there, and calculates."""
    yield
    assert world.client.get("/v1/get_map_info?id=78").status_code == 200
    assert ask(world).json()[0]["performance"]["pp"] == 115.549
    assert len(workers(world)) <= 1


@pytest.mark.parametrize("name", HARMLESS)
@pytest.mark.parametrize("mode", range(4))
def test_harmless(world: Playground, name: str, mode: int) -> None:
    plant(world, BEATMAPS[0], HARMLESS[name])

    assert ask(world, BEATMAPS[0], f"&mode={mode}").status_code == 200


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable(world: Playground, name: str) -> None:
    plant(world, BEATMAPS[1], UNREADABLE[name])
    answer = ask(world, BEATMAPS[1])

    assert (answer.status_code, answer.json()) == (400, {"status": "Beatmap file could not be read."})


@pytest.mark.parametrize("name", TOO_MUCH)
def test_too_much(world: Playground, name: str) -> None:
    plant(world, BEATMAPS[2], TOO_MUCH[name])
    begun = time.monotonic()
    answer = ask(world, BEATMAPS[2])
    took = time.monotonic() - begun
    begun = time.monotonic()
    again = ask(world, BEATMAPS[2])

    assert (answer.status_code, answer.json()) == (400, {"status": "The beatmap is too much for the pp engine."})
    assert took < SECONDS + 1
    # It is remembered, and takes nobody's time again.
    assert again.json() == answer.json()
    assert time.monotonic() - begun < SECONDS


def test_a_file_that_is_none(world: Playground) -> None:
    plant(world, BEATMAPS[3], b"")
    path = world.data / "osu" / f"{BEATMAPS[3]}.osu"
    path.unlink()
    path.mkdir()

    assert ask(world, BEATMAPS[3]).json() == {"status": "Beatmap file could not be fetched."}


def test_a_pipe_in_place_of_a_file(world: Playground) -> None:
    path = world.data / "osu" / f"{BEATMAPS[4]}.osu"
    os.mkfifo(path)

    assert ask(world, BEATMAPS[4]).status_code == 400


def test_others_wait_for_a_worker_in_a_bounded_queue(world: Playground) -> None:
    plant(world, BEATMAPS[5], TOO_MUCH["a curve of 60 000 points"] + b"// another")
    with ThreadPoolExecutor(12) as pool:
        hanging = pool.submit(ask, world, BEATMAPS[5])
        time.sleep(0.3)
        answers = list(pool.map(lambda _: ask(world), range(10)))
        others = world.client.get("/v1/get_map_info?id=78")

    assert hanging.result().status_code == 400
    assert {answer.status_code for answer in answers} == {200, 503}
    refused = [answer for answer in answers if answer.status_code == 503]
    assert refused[0].json() == {"status": "Too many pp calculations are waiting."}
    assert int(refused[0].headers["Retry-After"]) > 0
    assert others.elapsed.total_seconds() < SECONDS


def test_a_worker_that_is_killed_is_started_anew(world: Playground) -> None:
    ask(world)
    (worker,) = workers(world)
    os.kill(worker, signal.SIGKILL)

    assert ask(world).status_code == 200
    assert workers(world) != [worker]


def test_a_batch_goes_on_past_a_hostile_beatmap(world: Playground) -> None:
    plant(world, BEATMAPS[6], TOO_MUCH["10 TB of ticks"] + b"// another")
    answer = world.client.get(f"/v1/calculate_pp_batch?id={BEATMAPS[6]}&id=78&acc=100", headers=signed(PLAYER))

    assert [entry["status"] for entry in answer.json()["maps"]] == [
        "The beatmap is too much for the pp engine.",
        "success",
    ]


def test_workers_end_with_a_service_that_is_killed(tmp_path: Path) -> None:
    with playground(tmp_path, f"sqlite:///{tmp_path / 'world.sqlite'}", pp_timeout="1") as here:
        plant(here, BEATMAPS[7], TOO_MUCH["a curve of 60 000 points"])
        with ThreadPoolExecutor(2) as pool:
            pool.submit(ask, here)
            hanging = pool.submit(ask, here, BEATMAPS[7])
            time.sleep(0.5)
            left = workers(here)
            os.kill(here.process.pid, signal.SIGKILL)
            assert isinstance(hanging.exception(), httpx2.TransportError)

        deadline = time.monotonic() + 5
        while any(Path(f"/proc/{worker}").exists() for worker in left) and time.monotonic() < deadline:
            time.sleep(0.05)

    assert left
    assert not [worker for worker in left if Path(f"/proc/{worker}").exists()]
