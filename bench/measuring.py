"""Measures questions on a world: under load, and one after the other."""

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from itertools import cycle

from bench import machine
from bench.floors import Floors
from bench.load import Client, Failed
from bench.machine import Cores, share, taken
from bench.plan import Plan
from bench.questions import Question
from bench.results import Alone, Load
from bench.serving import AIOMYSQL, Serving, service
from bench.worlds import Ground, World
from tests.support.game_server import GameServer

Tell = Callable[[str], None]


class Bench:
    """What all measurements have in common."""

    def __init__(
        self, plan: Plan, ground: Ground, cores: Cores, game_server: GameServer, floors: Floors, tell: Tell
    ) -> None:
        self.plan = plan
        self.cores = cores
        self.floors = floors
        self.tell = tell
        self._ground = ground
        self._game_server = game_server

    def serving(self, world: World, *, driver: str = AIOMYSQL, cache: bool) -> AbstractContextManager[Serving]:
        """The service on a world."""
        return service(world, self.cores, self._game_server, self.plan.connections, driver=driver, cache=cache)

    def load(
        self,
        world: World,
        asked: Sequence[Question],
        *,
        indexes: bool,
        driver: str = AIOMYSQL,
        cache: bool = False,
    ) -> list[Load]:
        """Each question from many connections; ratios to the floors of the drivers are filled in at the end."""
        self.tell(f"\n{world.name} world, {_state(indexes, driver, cache)}")
        self.tell(f"  {'':33}{'req/s':>8}{'p50 ms':>9}{'p99 ms':>9}{'errors':>8}{'server':>8}{'db':>6}{'MiB':>6}")
        self.floors.measure()
        found = []
        with self.serving(world, driver=driver, cache=cache) as here:
            for question in asked:
                if cache and not question.cached:
                    continue
                turns = self.plan.turns if _closely(question, cache) else 1
                shots = [self._load(here, world, question, indexes, driver, cache) for _ in range(turns)]
                # What is promised closely is measured several times: the one in the middle counts.
                found.append(sorted(shots, key=lambda shot: shot.ratio)[turns // 2])
                self.tell(_line(found[-1]))
        return found

    def _load(
        self, here: Serving, world: World, question: Question, indexes: bool, driver: str, cache: bool
    ) -> Load:
        paths = question.few if cache else question.paths
        body = here.client.body((question.heavy or question.typical)[0])
        # Before and after: the machine is not the same from one second to the next.
        beside = _closely(question, cache)
        floors = [self._floor(body, cache)] if beside else []
        here.client.warm(paths, self.plan.warm)
        database = self._ground.mariadb.process.pid
        before = taken(here.process.pid), taken(database)
        shot = here.client.load(paths, self.plan.window)
        after = taken(here.process.pid), taken(database)
        floors += [self._floor(body, cache)] if beside else []
        floor = statistics.mean(floors) if floors else 0
        return Load(
            question=question.name,
            world=world.name,
            indexes=indexes,
            driver=driver,
            cache=cache,
            rate=shot.rate,
            p50_ms=shot.p50_ms,
            p99_ms=shot.p99_ms,
            errors=shot.errors,
            server_cpu=share(before[0], after[0]),
            database_cpu=share(before[1], after[1]),
            memory=after[0].memory,
            body=len(body),
            floor=floor,
            ratio=shot.rate / floor if floor else 0,
        )

    def _floor(self, body: bytes, cache: bool) -> float:
        return self.floors.of_body(body) if cache else self.floors.of_row()

    def alone(
        self, worlds: Sequence[World], asked: Mapping[str, Sequence[Question]], *, indexes: bool
    ) -> list[Alone]:
        """Each question from a single client, of all worlds in turn: the machine is not the same for long."""
        names = " and ".join(world.name for world in worlds)
        self.tell(f"\n{names} world, {_state(indexes, AIOMYSQL, False)}, a single client: medians in ms")
        self.tell(f"  {'':33}{'heaviest':>10}{'typical':>10}{'alike':>10}, in each")
        found = []
        with ExitStack() as stack:
            clients = [stack.enter_context(self.serving(world, cache=False)).client for world in worlds]
            for client, world in zip(clients, worlds, strict=True):
                # The first connections to the database, and what a process does but once.
                client.warm(asked[world.name][0].paths, self.plan.warm)
            for questions in zip(*(asked[world.name] for world in worlds), strict=True):
                heaviest = self._waits(clients, [question.heavy[:1] for question in questions])
                typical = self._waits(clients, [question.typical or question.heavy for question in questions])
                alike = typical
                if all(question.alike for question in questions):
                    alike = self._waits(clients, [question.alike for question in questions])
                found += [
                    Alone(
                        question=questions[0].name,
                        world=world.name,
                        indexes=indexes,
                        heaviest_ms=heaviest[number],
                        typical_ms=typical[number] or 0,
                        alike_ms=alike[number] or 0,
                    )
                    for number, world in enumerate(worlds)
                ]
                told = "".join(f"{'' if ms is None else f'{ms:.2f}':>10}" for ms in (*heaviest, *typical, *alike))
                self.tell(f"  {questions[0].name:33}{told}")
        return found

    def _waits(self, clients: Sequence[Client], paths: Sequence[Sequence[str]]) -> list[float | None]:
        """The median of what an answer takes, for each client with its own paths; None where there are none."""
        turns = self.plan.alone_turns
        requests, seconds = -(-self.plan.alone_requests // turns), self.plan.alone_seconds / turns
        some = [cycle(each) for each in paths]
        taken: list[list[float]] = [[] for _ in clients]
        for _ in range(turns):
            for client, each, mine, waits in zip(clients, some, paths, taken, strict=True):
                waits += client.waits(each, requests, seconds) if mine else []
        return [statistics.median(waits) if waits else None for waits in taken]

    def check(self, world: World, asked: Sequence[Question]) -> None:
        """Asks everything once, so that a question without an answer ends the run before it has begun."""
        with self.serving(world, cache=True) as here:
            began = time.monotonic()
            for question in asked:
                if not question.heavy and not question.typical:
                    raise Failed(f"there is nothing to ask {question.name} about in the {world.name} world")
                for path in [*question.heavy[:3], *question.typical[:3]]:
                    here.client.body(path)
            self.tell(f"{world.name} world: every question is answered ({time.monotonic() - began:.0f} s)")

    def pin(self) -> None:
        """Keeps the database, Redis and this process, which is the game server too, off the server's core."""
        for pid in (self._ground.mariadb.process.pid, self._ground.redis.process.pid, os.getpid()):
            machine.pin(pid, self.cores.others)


def _closely(question: Question, cache: bool) -> bool:
    """Whether what is asked is compared with a floor that answers the same."""
    return cache or question.rows in ("one", "profile")


def _state(indexes: bool, driver: str, cache: bool) -> str:
    return f"{'with' if indexes else 'without'} sql/indexes.sql, {driver}, cache {'on' if cache else 'off'}"


def _line(load: Load) -> str:
    ratio = f"  {100 * load.ratio:.0f} % of {load.floor:.0f}" if load.ratio else ""
    return (
        f"  {load.question:33}{load.rate:>8.0f}{load.p50_ms:>9.2f}{load.p99_ms:>9.1f}{load.errors:>8}"
        f"{load.server_cpu:>7.0f}%{load.database_cpu:>5.0f}%{load.memory:>6.0f}{ratio}"
    )
