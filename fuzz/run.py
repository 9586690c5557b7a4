"""Sends the cases of a run, many at a time, and reports what is wrong with the responses."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from fuzz.checks import TRANSIENT, Checker, Problem, is_refusal
from fuzz.connection import Connection, Reset, Response, Wrong
from fuzz.generate import Generator
from fuzz.messages import Case

# Seconds between two lines about the progress.
INTERVAL = 5.0
# How often smaller versions of a case are tried, and how many cases with a transient status are sent again.
SHRINKING = 1000
AGAIN = 300


class Outcome(NamedTuple):
    """The responses to a case, and what was wrong with the exchange."""

    responses: list[Response]
    problem: Problem | None


@dataclass
class Found:
    """A problem, a case that has it, if it is known, and how many had it.

    `again` tells whether the case has it when it is sent alone.
    """

    problem: Problem
    case: Case | None
    count: int = 1
    again: bool = True


@dataclass
class Result:
    """What has happened in a run. `succeeded` are the operations that had a response with 2xx."""

    cases: int = 0
    requests: int = 0
    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    succeeded: set[str] = field(default_factory=set)
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
    """Sends cases to a service, one at a time, and checks the responses. It keeps a connection open."""

    def __init__(self, host: str, port: int, checker: Checker, bound: float) -> None:
        """`bound` is how many seconds a response may take."""
        self._address = host, port
        self._checker = checker
        self._bound = bound
        self._kept: Connection | None = None

    def close(self) -> None:
        if self._kept:
            self._kept.close()
        self._kept = None

    async def alone(self, case: Case) -> Outcome:
        """Send a case on a connection of its own."""
        self.close()
        outcome = await self.exchange(case)
        self.close()
        return outcome

    async def exchange(self, case: Case) -> Outcome:
        """Send a case, on the connection that is kept if that is possible."""
        responses: list[Response] = []
        try:
            if case.raw is None:
                problem = await self._send_requests(case, responses)
            else:
                problem = await self._send_raw(case, responses)
        except Wrong as error:
            problem = Problem(str(error).partition(":")[0], "the connection", str(error))
            # If a server closes a connection while more is being sent, the operating system resets it, and the
            # client may lose responses (RFC 9112, 9.6).
            if isinstance(error, Reset) and (len(case.requests) != 1 or case.cuts):
                problem = None
        return Outcome(responses, problem)

    async def _send_requests(self, case: Case, responses: list[Response]) -> Problem | None:
        connection = self._kept or await Connection.open(*self._address, self._bound)
        self._kept = None
        try:
            if rest := connection.unexpected():
                raise Wrong(f"more than the response before this one: {rest[:300]!r}")
            await connection.send(case.encode(), case.cuts)
            problem = await self._read(connection, case, responses)
            if problem is None and not responses[-1].closes:
                self._kept = connection
            return problem
        finally:
            if self._kept is None:
                connection.close()

    async def _send_raw(self, case: Case, responses: list[Response]) -> Problem | None:
        connection = await Connection.open(*self._address, self._bound)
        try:
            await connection.send(case.encode(), case.cuts)
            connection.end()
            while response := await connection.response():
                responses.append(response)
                if problem := self._checker.check(None, response):
                    return problem
            return None
        finally:
            connection.close()

    async def _read(self, connection: Connection, case: Case, responses: list[Response]) -> Problem | None:
        for request in case.requests:
            response = await connection.response(head=request.method == b"HEAD")
            if response is None:
                received = f"{len(responses)} of {len(case.requests)} responses"
                return Problem("no response", self._checker.where(request), received)
            responses.append(response)
            if problem := self._checker.check(request, response):
                return problem
            if response.closes:
                # What is not HTTP is not known to be a HEAD request either, so that its response may have a body.
                if not (request.method == b"HEAD" and is_refusal(response, head=True)):
                    await connection.finish()
                break
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
        outcome = await self.alone(case)
        return bool(outcome.problem and outcome.problem[:2] == problem[:2])

    async def repeat_transient(self, result: Result) -> None:
        """Send the cases with a transient status again, one at a time. One that has it again is a problem."""
        for case in result.transient[:AGAIN]:
            outcome = await self.alone(case)
            for request, response in zip(case.requests, outcome.responses, strict=False):
                # The game server of the tests sends a body in response to HEAD, which is not valid HTTP.
                if response.status in TRANSIENT and request.method != b"HEAD":
                    what = f"status {response.status} although everything works"
                    result.add(Problem(what, self._checker.where(request), repr(response.body[:300])), case)


async def run(
    clients: Sequence[Client], checker: Checker, generator: Generator, numbers: range, memory: Callable[[], float]
) -> Result:
    """Send the cases with these numbers, divided among the clients. Return what has happened.

    `memory` returns how much memory the service uses. It is called ten times.
    """
    result = Result(memory=[memory()])
    begun = time.monotonic()
    left = iter(numbers)

    async def work(client: Client) -> None:
        for number in left:
            case = generator.case(number)
            at = time.monotonic()
            outcome = await client.exchange(case)
            result.slowest = max(result.slowest, (time.monotonic() - at, number))
            result.cases += 1
            result.requests += max(len(outcome.responses), 1)
            for response in outcome.responses:
                result.statuses[response.status] += 1
            for request, response in zip(case.requests, outcome.responses, strict=False):
                if response.status < 300:
                    result.succeeded.add(checker.where(request))
            if outcome.problem:
                result.add(outcome.problem, case)
            elif any(response.status in TRANSIENT for response in outcome.responses):
                result.transient.append(case)
            if result.cases % max(len(numbers) // 10, 1) == 0:
                result.memory.append(memory())
        client.close()

    progress = asyncio.create_task(_show_progress(result, len(numbers), begun))
    async with asyncio.TaskGroup() as tasks:
        for client in clients:
            tasks.create_task(work(client))
    progress.cancel()
    result.seconds = time.monotonic() - begun
    return result


async def _show_progress(result: Result, total: int, begun: float) -> None:
    while True:
        await asyncio.sleep(INTERVAL)
        rate = result.requests / (time.monotonic() - begun)
        memory, problems = result.memory[-1], len(result.found)
        line = f"{result.cases} of {total} cases, {rate:.0f} requests/s, {memory:.0f} MiB, {problems} problems"
        print(line, file=sys.stderr, flush=True)


def summary(result: Result, operations: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a report."""
    rate = result.requests / result.seconds
    yield f"{result.cases} cases, {result.requests} requests in {result.seconds:.0f} s ({rate:.0f}/s)"
    yield "statuses: " + ", ".join(f"{status}: {count}" for status, count in sorted(result.statuses.items()))
    yield f"memory of the process in MiB: {' '.join(f'{size:.0f}' for size in result.memory)}"
    yield f"slowest response: {result.slowest[0]:.2f} s, case {result.slowest[1]}"
    yield f"sent again because of a status that may be transient: {len(result.transient)} cases"
    never = sorted(set(operations) - result.succeeded)
    yield f"operations without a successful response: {', '.join(never) or 'none'}"


def described(found: Iterable[Found], host: str, port: int) -> Iterator[str]:
    """Yield the lines about problems."""
    for each in found:
        yield ""
        first = f", first in case {each.case.number}" if each.case else ""
        yield f"{each.problem.what} ({each.problem.where}), {each.count} times{first}"
        yield f"    {each.problem.detail}"
        if each.case is None:
            continue
        if not each.again:
            yield "    It does not happen when the case is sent alone."
        text = each.case.commands(host, port)
        yield text if len(text) < 20_000 else text[:20_000] + f" … ({len(text)} characters)"
