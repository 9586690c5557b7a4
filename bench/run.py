"""A whole run: build, check, measure without the indexes and with them, save."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench import machine
from bench.checks import checks, growth
from bench.floors import floors
from bench.ids import Ids, ids_of
from bench.measuring import Bench, Tell
from bench.plan import Plan
from bench.plans import plans, statements, values_for
from bench.polling import poll
from bench.questions import NOT_MEASURED, Question, questions
from bench.results import Alone, Load, Polling, Results
from bench.results import Plan as QueryPlan
from bench.serving import AIOMYSQL, ASYNCMY
from bench.worlds import Ground, IndexSize, analyze, create_indexes, drop_indexes, ground, index_sizes
from tests.support.game_server import GameServer, game_server, match, playing

MATCHES = 20


def run(plan: Plan, folder: Path, tell: Tell, *, keep: bool) -> tuple[Results, list[Question]]:
    """Everything the plan asks for; the worlds are built below `folder`.

    Raises UnfitFolder, CannotInstall, and Failed when the service does not answer as it should.
    """
    began, now = time.monotonic(), datetime.now(UTC)
    cores, description = machine.Cores.of_this_machine(), machine.description()
    with ground(plan, folder, keep=keep) as here, game_server() as game:
        ids = {name: ids_of(world) for name, world in here.worlds.items()}
        largest = list(here.worlds.values())[-1]
        _populate(game, ids.values())
        with floors(plan, largest, cores, ids[largest.name].scores.typical) as bare:
            bench = Bench(plan, here, cores, game, bare, tell)
            bench.pin()
            found = _Run(bench, here, ids)
            found.everything()
            results = Results(
                machine=description,
                database=str(largest.rows("SELECT VERSION()")[0][0]),
                began=now.isoformat(timespec="seconds"),
                minutes=round((time.monotonic() - began) / 60, 1),
                scores={name: world.sizes.scores for name, world in here.worlds.items()},
                building={name: round(world.built_in, 1) for name, world in here.worlds.items()},
                floors=bare.all(),
                load=[_against(load, bare.rate()) for load in found.load],
                alone=found.alone,
                growth=growth(found.alone, *here.worlds) if len(here.worlds) > 1 else [],
                polling=found.polling,
                plans=found.plans,
                indexes=found.indexes,
                not_measured=NOT_MEASURED,
            )
    asked = found.asked[largest.name]
    return msgspec.structs.replace(results, checks=checks(results, asked)), asked


class _Run:
    """What is found on the way."""

    def __init__(self, bench: Bench, here: Ground, ids: dict[str, Ids]) -> None:
        self.bench = bench
        self.worlds = list(here.worlds.values())
        self.ids = ids
        self.asked = {
            world.name: [
                question
                for question in questions(ids[world.name], world.sizes.scores)
                if question.key or not bench.plan.key_questions_only
            ]
            for world in self.worlds
        }
        self.load: list[Load] = []
        self.alone: list[Alone] = []
        self.polling: Polling | None = None
        self.plans: list[QueryPlan] = []
        self.indexes: list[IndexSize] = []

    def everything(self) -> None:
        for _, statement in statements():
            values_for(statement, self.ids[self.worlds[-1].name])
        for world in self.worlds:
            drop_indexes(world)
            analyze(world)
            self.bench.check(world, self.asked[world.name])
        if len(self.worlds) > 1:
            self._measure(indexes=False)
        self._plans(indexes=False)
        for world in self.worlds:
            self.bench.tell(f"\ncreating the indexes of sql/indexes.sql in the {world.name} world")
            created = create_indexes(world)
            analyze(world)
            self.indexes += index_sizes(world, created)
        self._measure(indexes=True)
        self._plans(indexes=True)
        self._largest()

    def _measure(self, *, indexes: bool) -> None:
        for world in self.worlds:
            self.load += self.bench.load(world, self.asked[world.name], indexes=indexes)
        self.alone += self.bench.alone(self.worlds, self.asked, indexes=indexes)

    def _plans(self, *, indexes: bool) -> None:
        world = self.worlds[-1]
        self.bench.tell(f"\nplans of every statement in the {world.name} world")
        self.plans += plans(world, self.ids[world.name], indexes=indexes)

    def _largest(self) -> None:
        """What one world shows: the other driver, the cache, and the page that many have open."""
        world = self.worlds[-1]
        asked = self.asked[world.name]
        self.load += self.bench.load(world, asked, indexes=True, driver=ASYNCMY)
        self.load += self.bench.load(world, asked, indexes=True, cache=True)
        self.bench.floors.measure()
        plan = self.bench.plan
        self.bench.tell(f"\n{plan.polling_clients} clients poll the heaviest player's page")
        with self.bench.serving(world, driver=AIOMYSQL, cache=True) as here:
            self.polling = poll(here, world, self.ids[world.name].players.heavy[0], plan)


def _against(load: Load, floor: float) -> Load:
    """One without a floor of its own beside that of the run, now that it has been measured often enough."""
    if load.floor:
        return load
    return msgspec.structs.replace(load, floor=floor, ratio=load.rate / floor)


def _populate(game: GameServer, worlds: Iterable[Ids]) -> None:
    """Some hundred players of each world are online, in a song, and some play matches."""
    game.users = {id: name for ids in worlds for id, name in ids.online.items()}
    game.statuses = dict.fromkeys(game.users, playing())
    hosts = list(game.users.items())
    game.matches = {
        number: match(f"match {number}", hosts[number % len(hosts)]) for number in range(1, MATCHES + 1)
    }
