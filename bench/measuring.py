"""Measuring cases: under load, and with a single client."""

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from itertools import cycle
from pathlib import Path

from bench import machine
from bench.cases import Case
from bench.floors import Floors
from bench.load import Client, Failed
from bench.machine import Cores, cpu_percent, usage
from bench.peer import TIMES, peer
from bench.plan import Plan
from bench.results import BesidePeer, Load, SingleClient, WrkResult
from bench.serving import AIOMYSQL, Server, service
from bench.worlds import Setup, World
from tests.support.game_server import GameServer

Echo = Callable[[str], None]


class Bench:
    """Measures the service, and prints each result."""

    def __init__(
        self, plan: Plan, setup: Setup, cores: Cores, game_server: GameServer, floors: Floors, echo: Echo
    ) -> None:
        self.plan = plan
        self.cores = cores
        self.floors = floors
        self.echo = echo
        self._setup = setup
        self._game_server = game_server

    def serve(self, world: World, *, driver: str = AIOMYSQL, cache: bool) -> AbstractContextManager[Server]:
        """Run the service on a world."""
        return service(world, self.cores, self._game_server, self.plan.connections, driver=driver, cache=cache)

    def load(
        self,
        world: World,
        cases: Sequence[Case],
        *,
        indexes: bool,
        driver: str = AIOMYSQL,
        cache: bool = False,
    ) -> list[Load]:
        """Measure each case with many connections. A `floor` of 0 is to be filled in at the end of the run."""
        self.echo(f"\n{world.name} world, {_state(indexes, driver, cache)}")
        self.echo(f"  {'':33}{'req/s':>8}{'p50 ms':>9}{'p99 ms':>9}{'errors':>8}{'server':>8}{'db':>6}{'MiB':>6}")
        self.floors.measure()
        results = []
        with self.serve(world, driver=driver, cache=cache) as server:
            for case in cases:
                if (cache and not case.cached) or (not cache and case.alone):
                    continue
                if case.settle:
                    server.client.get(case.cold_paths[0])
                    time.sleep(case.settle)
                turns = self.plan.turns if _has_own_floor(case, cache) else 1
                loads = [self._load(server, world, case, indexes, driver, cache) for _ in range(turns)]
                # The median, by the ratio to the floor.
                results.append(sorted(loads, key=lambda load: load.ratio)[turns // 2])
                self.echo(_line(results[-1]))
        return results

    def _load(self, server: Server, world: World, case: Case, indexes: bool, driver: str, cache: bool) -> Load:
        paths = case.hot_paths if cache else case.cold_paths
        body = server.client.get((case.heavy or case.typical)[0])
        # The floor is measured before and after, since the speed of the machine varies from second to second.
        own_floor = _has_own_floor(case, cache)
        floors = [self._floor(body, cache)] if own_floor else []
        server.client.warm_up(paths, self.plan.warm_up)
        database = self._setup.mariadb.process.pid
        before = usage(server.process.pid), usage(database)
        result = server.client.load(paths, self.plan.window)
        after = usage(server.process.pid), usage(database)
        floors += [self._floor(body, cache)] if own_floor else []
        floor = statistics.mean(result.rate for result in floors) if floors else 0
        return Load(
            case=case.name,
            world=world.name,
            indexes=indexes,
            driver=driver,
            cache=cache,
            rate=result.rate,
            p50_ms=result.p50_ms,
            p99_ms=result.p99_ms,
            errors=result.errors,
            server_cpu=cpu_percent(before[0], after[0]),
            database_cpu=cpu_percent(before[1], after[1]),
            memory=after[0].memory,
            body=len(body),
            floor=floor,
            floor_p99_ms=statistics.mean(result.p99_ms for result in floors) if floors else 0,
            ratio=result.rate / floor if floor else 0,
        )

    def _floor(self, body: bytes, cache: bool) -> WrkResult:
        return self.floors.of_body(body) if cache else self.floors.of_row()

    def beside_peer(
        self, checkout: Path, world: World, cases: Sequence[Case], *, indexes: bool
    ) -> list[BesidePeer]:
        """Measure the cases that bancho.py has too, and bancho.py, in turn. Raise UnfitPeer and NotReady."""
        self.echo(f"\n{world.name} world, {_state(indexes, AIOMYSQL, False)}, and bancho.py")
        self.echo(f"  {'':33}{'req/s':>8}{'bancho.py':>11}{'times':>8}{'errors':>8}{'its':>5}")
        results = []
        with (
            peer(checkout, world, self.cores, self.plan.connections) as other,
            self.serve(world, cache=False) as server,
        ):
            for case in cases:
                if case.name in TIMES:
                    results.append(self._beside_peer(server.client, other, case, indexes))
        return results

    def _beside_peer(self, ours: Client, other: Client, case: Case, indexes: bool) -> BesidePeer:
        # It does not answer some requests, such as those for replays on beatmaps with a title in Japanese.
        paths = [path for path in case.cold_paths[: self.plan.peer_paths] if other.answers(path)]
        if not paths:
            raise Failed(f"bancho.py answers none of the requests of {case.name}")
        ours.get(paths[0])
        time.sleep(case.settle)
        turns = []
        for _ in range(self.plan.turns):
            rates = []
            for client in (ours, other):
                client.warm_up(paths, self.plan.warm_up)
                rates.append(client.load(paths, self.plan.window))
            turns.append(rates)
        result = BesidePeer(
            case=case.name,
            indexes=indexes,
            rate=statistics.median(mine.rate for mine, _ in turns),
            peer=statistics.median(its.rate for _, its in turns),
            ratio=statistics.median(mine.rate / its.rate for mine, its in turns),
            errors=sum(mine.errors for mine, _ in turns),
            peer_errors=sum(its.errors for _, its in turns),
        )
        self.echo(
            f"  {case.name:33}{result.rate:>8.0f}{result.peer:>11.1f}{result.ratio:>8.1f}{result.errors:>8}"
            f"{result.peer_errors:>5}"
        )
        return result

    def single_client(
        self, worlds: Sequence[World], cases: Mapping[str, Sequence[Case]], *, indexes: bool
    ) -> list[SingleClient]:
        """Measure each case with a single client, in all worlds in turn, as the speed of the machine varies."""
        names = " and ".join(world.name for world in worlds)
        self.echo(f"\n{names} world, {_state(indexes, AIOMYSQL, False)}, a single client: medians in ms")
        self.echo(f"  {'':33}{'heaviest':>10}{'typical':>10}{'same len':>10}, in each world")
        results = []
        with ExitStack() as stack:
            clients = [stack.enter_context(self.serve(world, cache=False)).client for world in worlds]
            for client, world in zip(clients, worlds, strict=True):
                # Opens the connections to the database.
                client.warm_up(cases[world.name][0].cold_paths, self.plan.warm_up)
            for variants in zip(*(cases[world.name] for world in worlds), strict=True):
                heaviest = self._medians(clients, [case.heavy[:1] for case in variants])
                typical = self._medians(clients, [case.typical or case.heavy for case in variants])
                same_length = typical
                if all(case.same_length for case in variants):
                    same_length = self._medians(clients, [case.same_length for case in variants])
                results += [
                    SingleClient(
                        case=variants[0].name,
                        world=world.name,
                        indexes=indexes,
                        heaviest_ms=heaviest[number],
                        typical_ms=typical[number] or 0,
                        same_length_ms=same_length[number] or 0,
                    )
                    for number, world in enumerate(worlds)
                ]
                medians = (*heaviest, *typical, *same_length)
                columns = "".join(f"{'' if ms is None else f'{ms:.2f}':>10}" for ms in medians)
                self.echo(f"  {variants[0].name:33}{columns}")
        return results

    def _medians(self, clients: Sequence[Client], paths: Sequence[Sequence[str]]) -> list[float | None]:
        """Return the median response time, in ms, of each client with its paths; None if it has none."""
        turns = self.plan.single_client_turns
        requests = -(-self.plan.single_client_requests // turns)
        seconds = self.plan.single_client_seconds / turns
        cycles = [cycle(own_paths) if own_paths else None for own_paths in paths]
        times: list[list[float]] = [[] for _ in clients]
        for _ in range(turns):
            for client, next_paths, own_times in zip(clients, cycles, times, strict=True):
                if next_paths:
                    own_times += client.response_times(next_paths, requests, seconds)
        return [statistics.median(own_times) if own_times else None for own_times in times]

    def check(self, world: World, cases: Sequence[Case]) -> None:
        """Request every case once, so that one that fails ends the run before it has begun. Raise Failed."""
        with self.serve(world, cache=True) as server:
            began = time.monotonic()
            for case in cases:
                if not case.heavy and not case.typical:
                    raise Failed(f"the {world.name} world has no ids for {case.name}")
                for path in [*case.heavy[:3], *case.typical[:3]]:
                    server.client.get(path)
            self.echo(f"{world.name} world: all cases respond ({time.monotonic() - began:.0f} s)")

    def pin(self) -> None:
        """Keep the database, Redis and this process, which is also the game server, off the server's core."""
        for pid in (self._setup.mariadb.process.pid, self._setup.redis.process.pid, os.getpid()):
            machine.pin(pid, self.cores.others)


def _has_own_floor(case: Case, cache: bool) -> bool:
    """Return whether the promise for a case is close to the floor, which is then measured next to it."""
    return cache or case.rows in ("one", "profile")


def _state(indexes: bool, driver: str, cache: bool) -> str:
    return f"{'with' if indexes else 'without'} sql/indexes.sql, {driver}, cache {'on' if cache else 'off'}"


def _line(load: Load) -> str:
    ratio = f"  {100 * load.ratio:.0f} % of {load.floor:.0f}" if load.ratio else ""
    return (
        f"  {load.case:33}{load.rate:>8.0f}{load.p50_ms:>9.2f}{load.p99_ms:>9.1f}{load.errors:>8}"
        f"{load.server_cpu:>7.0f}%{load.database_cpu:>5.0f}%{load.memory:>6.0f}{ratio}"
    )
