"""Makes faults under load, and collects what came of the requests."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import msgspec

from config.environment import settings_from
from faults import database, game_server, process, redis
from faults.fault import RECOVERY, Context, Fault
from faults.load import GIVE_UP, Kind, Load, Outcome, copies_of
from faults.paths import Known
from faults.servers import Servers, polled, start_service
from faults.usage import MIB, Usage, usage

FAULTS = {fault.name: fault for fault in (*database.FAULTS, *redis.FAULTS, *game_server.FAULTS, *process.FAULTS)}
# Seconds in which most cached responses of the round before expire; seconds of load before a fault, and after the
# time in which the service has to recover.
PAUSE, BEFORE, AFTER = 2.0, 1.0, 1.5
# Seconds to wait for a first fresh response, and for closed connections to be gone.
MOST_SECONDS = 15.0
# What a worker may hold beyond what it held before: files beside its connections to the database, such as
# connections to Redis and to the game server, and MiB of memory beside its cache.
FILES, MEMORY = 8, 64.0
GOOD = (Kind.FRESH, Kind.STALE)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How often each fault is made, for how many seconds, and settings of the service.

    `slack` are seconds beyond a documented limit, which service and load generator may take on a busy machine.
    """

    rounds: int = 1
    seconds: float = 10.0
    slack: float = 0.5
    settings: Mapping[str, str] = {}


class Result(msgspec.Struct, kw_only=True):
    """What came of all rounds of a fault. Times are in seconds, the longest of all rounds.

    `recovery` is the time from the end of the fault to the first fresh response, None if there was none.
    """

    fault: str
    title: str
    driver: str
    rounds: int = 0
    kinds: Counter[str] = msgspec.field(default_factory=Counter)
    longest_wait: float = 0.0
    allowed_wait: float = 0.0
    recovery: float | None = 0.0
    before: Usage = Usage(0, 0, 0.0)
    after: Usage = Usage(0, 0, 0.0)
    problems: list[str] = []


def run(
    servers: Servers, known: Known, fault: Fault, driver: str, plan: Plan, progress: Callable[[str], None]
) -> Result:
    """Make the fault in each round of the plan, on a service that is started for it. Raise NeedsRoot."""
    with ExitStack() as stack:
        link = stack.enter_context(fault.way(servers.socket)) if fault.way else None
        environment = servers.settings(driver, link.host, link.port) if link else servers.settings(driver)
        environment |= {**plan.settings, **fault.settings}
        if fault.data:
            environment["data_directory"] = stack.enter_context(fault.data(servers))
        settings = settings_from({name.upper(): value for name, value in environment.items()}, Path())
        service = stack.enter_context(start_service(environment, fault.workers, fault.program))
        measure = partial(usage, service.process, link.port if link else servers.database_port)
        # There is a last response to half of the requests, which is served while there is no other.
        copies_of(service.url, [*known.up][::2])
        copies = known.up
        if fault.game_server_is_down:
            copies = {path: right | known.down[path] for path, right in known.up.items()}
        change = partial(fault.change, servers) if fault.change else None
        before = measure()
        most = Usage(
            before.files + (settings.db_pool_max + FILES) * fault.workers,
            settings.db_pool_max * fault.workers,
            before.memory + (settings.cache_bytes / MIB + MEMORY) * fault.workers,
        )
        result = Result(
            fault=fault.name,
            title=fault.title,
            driver=driver,
            allowed_wait=fault.longest_wait(settings),
            before=before,
        )
        for number in range(1, plan.rounds + 1):
            load = Load(service.url, copies, change=change, seed=number)
            context = Context(servers, service, settings, link, load, plan.seconds)
            problems = _round(fault, context, plan, result)
            polled(lambda: not _beyond(most, measure()), MOST_SECONDS)
            result.after = measure()
            problems += _beyond(most, result.after)
            result.problems += [f"round {number}: {problem}" for problem in problems]
            progress(f"round {number}: {'; '.join(problems) or 'ok'}")
    return result


def _round(fault: Fault, context: Context, plan: Plan, result: Result) -> list[str]:
    """Make the fault once, add to the result, and return what is wrong."""
    load = context.load
    time.sleep(PAUSE)
    with load:
        time.sleep(BEFORE)
        began = time.monotonic()
        fault.make(context)
        ended = time.monotonic()
        recovery = fault.recovered(context, MOST_SECONDS)
        time.sleep(max(ended + RECOVERY + plan.slack + AFTER - time.monotonic(), 0))
        load.stop()
        problems = fault.check(context, load.outcomes, load.changes)
    outcomes = [*load.outcomes, *(change.outcome for change in load.changes)]
    answered = [outcome.seconds for outcome in outcomes if outcome.kind is not Kind.LOST]
    result.rounds += 1
    result.kinds.update(outcome.kind.value for outcome in outcomes)
    result.longest_wait = max(result.longest_wait, *answered)
    result.recovery = None if recovery is None or result.recovery is None else max(result.recovery, recovery)
    problems += _wrong(fault, outcomes, began, ended + RECOVERY + plan.slack)
    if max(answered) > result.allowed_wait + plan.slack:
        slowest = max(outcomes, key=lambda outcome: outcome.seconds)
        problems.append(
            f"{slowest.path} took {slowest.seconds:.1f} s, {slowest.sent - began:.1f} s into the fault"
        )
    if recovery is None:
        problems.append(f"no fresh response within {MOST_SECONDS:g} s after the fault")
    elif recovery > RECOVERY + plan.slack:
        problems.append(f"the first fresh response came {recovery:.1f} s after the fault")
    return problems


def _wrong(fault: Fault, outcomes: Sequence[Outcome], began: float, recovered: float) -> Iterator[str]:
    """Yield what is wrong with the responses: one line for each kind."""

    def some(wrong: list[Outcome], what: str) -> Iterator[str]:
        if wrong:
            path, sent, seconds, kind, detail = wrong[0]
            yield (
                f"{len(wrong)} {what}, first {path} {sent - began:.1f} s into the fault, after {seconds:.1f} s:"
                f" {kind} {detail}"
            )

    def may_be_lost(outcome: Outcome) -> bool:
        within = outcome.sent + outcome.seconds >= began and outcome.sent <= recovered
        return fault.loses_connections and within and outcome.seconds < GIVE_UP

    yield from some([o for o in outcomes if o.kind is Kind.UNDOCUMENTED], "undocumented responses")
    yield from some([o for o in outcomes if o.kind is Kind.WRONG], "wrong responses")
    yield from some([o for o in outcomes if o.kind is Kind.LOST and not may_be_lost(o)], "requests lost")
    late = [o for o in outcomes if o.sent > recovered and o.kind not in GOOD]
    yield from some(late, "requests failed after the time to recover")


def _beyond(most: Usage, now: Usage) -> list[str]:
    return [
        f"{name} after the fault: {value:g}, more than {allowed:g}"
        for name, value, allowed in zip(Usage._fields, now, most, strict=True)
        if value > allowed
    ]
