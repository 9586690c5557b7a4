"""Sends the cases of a run, many at a time, and reports what is wrong with the responses."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.fuzz.checks import TRANSIENT, Checker, Problem, is_refusal
from tests.fuzz.connection import Connection, Response, Wrong
from tests.fuzz.generate import Generator
from tests.fuzz.messages import Case, Request

CONNECTIONS = 16
# Seconds between two lines about the progress.
INTERVAL = 5.0
# How often smaller versions of a case are tried, and how many cases with a transient status are sent again.
SHRINKING = 1000
AGAIN = 300
MAX_KINDS = 30


class Outcome(NamedTuple):
    """The responses to a case, and what was wrong with the exchange."""

    responses: list[Response]
    problem: Problem | None


@dataclass
class Found:
    """A problem, a case that has it, if it is known, and how many had it. `again`: whether it has it when sent alone."""

    problem: Problem
    case: Case | None
    count: int = 1
    again: bool | None = None


@dataclass
class Result:
    """What has happened in a run."""

    cases: int = 0
    requests: int = 0
    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    found: dict[tuple[str, str], Found] = field(default_factory=dict)
    transient: list[Case] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    slowest: tuple[float, int] = (0.0, 0)

    def add(self, problem: Problem, case: Case | None) -> None:
        found = self.found.get(problem[:2])
        if found:
            found.count += 1
        else:
            self.found[problem[:2]] = Found(problem, case)


class Client:
    """Sends cases to a service and checks the responses."""

    def __init__(self, host: str, port: int, checker: Checker, bound: float) -> None:
        """`bound` is how many seconds a response may take."""
        self._address = host, port
        self._checker = checker
        self._bound = bound

    async def exchange(self, case: Case, kept: Connection | None = None) -> tuple[Outcome, Connection | None]:
        """Send a case, on the connection `kept` if that is possible. Return the outcome, and a connection to keep."""
        if kept and (kept.ended or case.raw is not None):
            kept.close()
            kept = None
        connection = kept or await Connection.open(*self._address, self._bound)
        responses: list[Response] = []
        try:
            if rest := connection.unexpected():
                raise Wrong(f"more than the response before this one: {rest[:300]!r}")
            await connection.send(case.encode(), case.cuts, end=case.raw is not None)
            if case.raw is None:
                problem = await self._read(connection, case, responses)
            else:
                problem = await self._read_all(connection, responses)
        except Wrong as error:
            problem = Problem(str(error).partition(":")[0], "the connection", str(error))
        if problem is None and case.raw is None and not responses[-1].closes:
            return Outcome(responses, None), connection
        connection.close()
        return Outcome(responses, problem), None

    async def _read(self, connection: Connection, case: Case, responses: list[Response]) -> Problem | None:
        for request in case.requests:
            response = await connection.response(head=request.method == b"HEAD")
            if response is None:
                return Problem("no response", "the connection", f"{len(responses)} of {len(case.requests)}")
            responses.append(response)
            if problem := self._checker.check(request, response):
                return problem
            if response.closes:
                # What is not HTTP is not known to be a HEAD request either, so that its response may have a body.
                if not (request.method == b"HEAD" and is_refusal(response, head=True)):
                    await connection.finish()
                break
        return None

    async def _read_all(self, connection: Connection, responses: list[Response]) -> Problem | None:
        while response := await connection.response():
            responses.append(response)
            if problem := self._checker.check(None, response):
                return problem
        return None

    async def shrink(self, found: Found) -> None:
        """Replace the case by the smallest one found that has the same problem, if it has it when sent alone."""
        if found.case is None:
            return
        found.again = await self._has(found.case, found.problem)
        left = SHRINKING if found.again else 0
        smaller = found.case.smaller()
        while left and (case := next(smaller, None)):
            left -= 1
            if await self._has(case, found.problem):
                found.case, smaller = case, case.smaller()

    async def _has(self, case: Case, problem: Problem) -> bool:
        outcome, kept = await self.exchange(case)
        if kept:
            kept.close()
        return bool(outcome.problem and outcome.problem[:2] == problem[:2])

    async def repeat_transient(self, result: Result) -> None:
        """Send the cases with a transient status again, one at a time. One that has it again is a problem."""
        for case in result.transient[:AGAIN]:
            outcome, kept = await self.exchange(case)
            if kept:
                kept.close()
            for request, response in zip(case.requests, outcome.responses, strict=False):
                if response.status in TRANSIENT and may_not_fail(request):
                    what = f"status {response.status} although everything works"
                    result.add(Problem(what, self._checker.where(request), repr(response.body[:300])), case)


def may_not_fail(request: Request) -> bool:
    # The game server of the tests sends a body with its refusals, even in response to HEAD, which is not valid HTTP.
    return request.method != b"HEAD"


async def run(
    client: Client,
    generator: Generator,
    numbers: range,
    memory: Callable[[], float],
    *,
    connections: int = CONNECTIONS,
) -> Result:
    """Send the cases with these numbers. Return the result, without `memory` calls of which it would be empty."""
    result = Result(memory=[memory()])
    begun = time.monotonic()
    left = iter(numbers)

    async def work() -> None:
        kept: Connection | None = None
        for number in left:
            case = generator.case(number)
            at = time.monotonic()
            outcome, kept = await client.exchange(case, kept)
            result.slowest = max(result.slowest, (time.monotonic() - at, number))
            result.cases += 1
            result.requests += max(len(outcome.responses), 1)
            result.statuses.update(response.status for response in outcome.responses)
            if outcome.problem:
                result.add(outcome.problem, case)
            elif any(response.status in TRANSIENT for response in outcome.responses):
                result.transient.append(case)
            if result.cases % max(len(numbers) // 10, 1) == 0:
                result.memory.append(memory())
        if kept:
            kept.close()

    async with asyncio.TaskGroup() as tasks:
        progress = tasks.create_task(_show_progress(result, len(numbers), begun))
        workers = [tasks.create_task(work()) for _ in range(connections)]
        await asyncio.gather(*workers)
        progress.cancel()
    result.seconds = time.monotonic() - begun
    return result


async def _show_progress(result: Result, total: int, begun: float) -> None:
    while True:
        await asyncio.sleep(INTERVAL)
        rate = result.requests / (time.monotonic() - begun)
        line = f"{result.cases} of {total} cases, {rate:.0f} requests/s, {result.memory[-1]:.0f} MiB, {len(result.found)} problems"
        print(line, file=sys.stderr, flush=True)


def summary(result: Result) -> Iterator[str]:
    """Yield the lines of a report."""
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(result.statuses.items()))
    yield f"{result.cases} cases, {result.requests} requests in {result.seconds:.0f} s ({result.requests / result.seconds:.0f}/s)"
    yield f"statuses: {statuses}"
    yield f"memory of the process in MiB: {' '.join(f'{size:.0f}' for size in result.memory)}"
    yield f"slowest: {result.slowest[0]:.2f} s (case {result.slowest[1]}); sent again because of a transient status: {len(result.transient)}"


def described(found: Iterable[Found], host: str, port: int) -> Iterator[str]:
    """Yield the lines about problems."""
    for each in found:
        yield ""
        first = f", first in case {each.case.number}" if each.case else ""
        yield f"{each.problem.what} ({each.problem.where}), {each.count} times{first}"
        yield f"    {each.problem.detail}"
        if each.case is None:
            continue
        if each.again is False:
            yield "    It does not happen when the case is sent alone."
        text = each.case.commands(host, port)
        yield text if len(text) < 20_000 else text[:20_000] + f" … ({len(text)} characters)"
