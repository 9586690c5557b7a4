"""A run: build the worlds, then measure them without the indexes of sql/indexes.sql and with them."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench import machine
from bench.cases import NOT_MEASURED, Case, cases
from bench.explain import query_plans, statements, values_for
from bench.floors import floors
from bench.ids import Ids, ids_of
from bench.measuring import Bench, Echo
from bench.peer import python_of
from bench.plan import Plan
from bench.polling import poll
from bench.promises import growth, promises
from bench.results import BesidePeer, IndexSize, Load, Polling, QueryPlan, Results, SingleClient
from bench.serving import ASYNCMY
from bench.worlds import Setup, analyze, create_indexes, drop_indexes, index_sizes, setup
from tests.support.game_server import GameServer, game_server, match, playing

MATCHES = 20


def run(plan: Plan, folder: Path, echo: Echo, *, keep: bool) -> tuple[Results, list[Case]]:
    """Measure everything in the plan. Return the results, and the cases of the largest world.

    The worlds are built in `folder`. Raise UnfitFolder, UnfitPeer, CannotInstall, NotReady if a server does not
    start, and Failed if one does not respond as expected.
    """
    if plan.peer:
        python_of(plan.peer)
    began, now = time.monotonic(), datetime.now(UTC)
    cores, description = machine.Cores.of_this_machine(), machine.description()
    with setup(plan, folder, keep=keep) as ready, game_server() as game:
        ids = {name: ids_of(world) for name, world in ready.worlds.items()}
        largest = list(ready.worlds.values())[-1]
        _populate(game, ids.values())
        with floors(plan, largest, cores, ids[largest.name].scores.typical) as bare:
            bench = Bench(plan, ready, cores, game, bare, echo)
            bench.pin()
            measured = _Run(bench, ready, ids)
            measured.measure_everything()
            results = Results(
                machine=description,
                database=str(largest.rows("SELECT VERSION()")[0][0]),
                began=now.isoformat(timespec="seconds"),
                minutes=round((time.monotonic() - began) / 60, 1),
                scores={name: world.sizes.scores for name, world in ready.worlds.items()},
                building={name: round(world.built_in, 1) for name, world in ready.worlds.items()},
                floors=bare.all(),
                load=[_with_ratio(load, bare.rate()) for load in measured.load],
                beside_peer=measured.beside_peer,
                single_client=measured.single_client,
                growth=growth(measured.single_client, *ready.worlds) if len(ready.worlds) > 1 else [],
                polling=measured.polling,
                query_plans=measured.query_plans,
                indexes=measured.indexes,
                not_measured=NOT_MEASURED,
            )
    measured_cases = measured.cases[largest.name]
    return msgspec.structs.replace(results, promises=promises(results, measured_cases)), measured_cases


class _Run:
    """Collects the results of a run."""

    def __init__(self, bench: Bench, ready: Setup, ids: dict[str, Ids]) -> None:
        self.bench = bench
        self.worlds = list(ready.worlds.values())
        self.ids = ids
        self.cases = {
            world.name: [
                case
                for case in cases(ids[world.name], world.sizes.scores)
                if case.key or not bench.plan.key_cases_only
            ]
            for world in self.worlds
        }
        self.load: list[Load] = []
        self.beside_peer: list[BesidePeer] = []
        self.single_client: list[SingleClient] = []
        self.polling: Polling | None = None
        self.query_plans: list[QueryPlan] = []
        self.indexes: list[IndexSize] = []

    def measure_everything(self) -> None:
        # Fails early if a statement has a parameter without a value.
        for _, statement in statements():
            values_for(statement, self.ids[self.worlds[-1].name])
        for world in self.worlds:
            drop_indexes(world)
            analyze(world)
            self.bench.check(world, self.cases[world.name])
        if len(self.worlds) > 1:
            self._measure(indexes=False)
        self._measure_beside_peer(indexes=False)
        self._explain(indexes=False)
        for world in self.worlds:
            self.bench.echo(f"\ncreating the indexes of sql/indexes.sql in the {world.name} world")
            created = create_indexes(world)
            analyze(world)
            self.indexes += index_sizes(world, created)
        self._measure(indexes=True)
        self._measure_beside_peer(indexes=True)
        self._explain(indexes=True)
        self._measure_largest()

    def _measure(self, *, indexes: bool) -> None:
        for world in self.worlds:
            self.load += self.bench.load(world, self.cases[world.name], indexes=indexes)
        self.single_client += self.bench.single_client(self.worlds, self.cases, indexes=indexes)

    def _measure_beside_peer(self, *, indexes: bool) -> None:
        world, checkout = self.worlds[-1], self.bench.plan.peer
        if checkout:
            self.beside_peer += self.bench.beside_peer(checkout, world, self.cases[world.name], indexes=indexes)

    def _explain(self, *, indexes: bool) -> None:
        world = self.worlds[-1]
        self.bench.echo(f"\nquery plans of every statement in the {world.name} world")
        self.query_plans += query_plans(world, self.ids[world.name], indexes=indexes)

    def _measure_largest(self) -> None:
        """Measure what needs one world only: the other driver, the cache, and polling."""
        world = self.worlds[-1]
        self.load += self.bench.load(world, self.cases[world.name], indexes=True, driver=ASYNCMY)
        self.load += self.bench.load(world, self.cases[world.name], indexes=True, cache=True)
        self.bench.floors.measure()
        plan = self.bench.plan
        self.bench.echo(f"\n{plan.polling_clients} clients poll the heaviest player's page")
        with self.bench.serve(world, cache=True) as server:
            self.polling = poll(server, world, self.ids[world.name].players.heavy[0], plan)


def _with_ratio(load: Load, floor: float) -> Load:
    """Return `load` with its ratio to the median floor of the run, unless it has a floor of its own."""
    if load.floor:
        return load
    return msgspec.structs.replace(load, floor=floor, ratio=load.rate / floor)


def _populate(game: GameServer, ids: Iterable[Ids]) -> None:
    """Put some hundred players of each world online, playing a beatmap, and start some matches."""
    game.users = {id: name for world_ids in ids for id, name in world_ids.online.items()}
    game.statuses = dict.fromkeys(game.users, playing())
    hosts = list(game.users.items())
    game.matches = {
        number: match(f"match {number}", hosts[number % len(hosts)]) for number in range(1, MATCHES + 1)
    }
