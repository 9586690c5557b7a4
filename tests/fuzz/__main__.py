"""The command line of the fuzzer: python -m tests.fuzz."""

import asyncio
import signal
import sys
import time
from collections import Counter
from random import SystemRandom
from typing import Any

import click
import httpx2
import uvloop

from tests.fuzz.checks import Checker, Problem
from tests.fuzz.generate import Generator
from tests.fuzz.run import MAX_KINDS, Client, Result, described, run, summary
from tests.fuzz.target import Target, running

# So many MiB more in the second half of a run are a leak: the caches are full before that.
GROWTH = 48.0
# Open files and connections that a service may have after a run in addition to those before.
MORE_FILES = 40
LIMITED = {"RATE_LIMIT": "100", "RATE_LIMIT_BURST": "50", "RATE_LIMIT_EXEMPT": "", "KEY_FAILURES": "20"}


@click.command()
@click.option("--number", "-n", default=20_000, show_default=True, help="How many cases are sent.")
@click.option("--seed", type=int, help="Number that the cases follow from. Default: another one each time.")
@click.option("--only", type=int, help="Send the case with this number alone, and show the responses.")
@click.option("--driver", type=click.Choice(["aiomysql", "asyncmy"]), default="aiomysql", show_default=True)
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A setting of the service.")
@click.option("--bound", default=20.0, show_default=True, help="Seconds that a response may take.")
def main(
    number: int, seed: int | None, only: int | None, driver: str, settings: tuple[str, ...], bound: float
) -> None:
    """Send generated requests to the service, nine in ten without a rate limit, the others with one.

    The exit code is 1 if something was wrong.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    seed = SystemRandom().randrange(10**6) if seed is None else seed
    print(f"seed {seed}", file=sys.stderr)
    given = dict(setting.split("=", 1) for setting in settings)
    unlimited = number * 9 // 10
    if only is not None:
        with running(driver, {"RATE_LIMIT": "0", **given}) as target:
            show(target, seed, only, bound)
        return
    failed = False
    for numbers, more, options in (
        (range(unlimited), {"RATE_LIMIT": "0"}, ()),
        (range(unlimited, number), LIMITED, ("--workers", "2")),
    ):
        with running(driver, {**more, **given}, *options) as target:
            failed = fuzz(target, seed, numbers, bound, limited=more is LIMITED) or failed
    sys.exit(failed)


def fuzz(target: Target, seed: int, numbers: range, bound: float, *, limited: bool) -> bool:
    """Send the cases with these numbers, and print the report. Return whether something was wrong."""
    before, files = target.state(), target.open_files()
    generator = Generator(seed, document(target))
    client = Client(target.host, target.port, Checker(document(target), limited=limited), bound)

    async def send() -> Result:
        result = await run(client, generator, numbers, target.memory)
        if not limited:
            await client.repeat_transient(result)
        await asyncio.sleep(1)
        result.memory.append(target.memory())
        for found in list(result.found.values())[:MAX_KINDS]:
            await client.shrink(found)
        return result

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(send())
    for problem in after(target, result, before, files):
        result.add(problem, None)
    print("\n".join(["", "with a rate limit:" if limited else "without a rate limit:", *summary(result)]))
    for message, count in Counter(warning[:100] for warning in target.warnings()).most_common(10):
        print(f"warning in the log, {count} times: {message}")
    print("\n".join(described(result.found.values(), target.host, target.port)), flush=True)
    return bool(result.found)


def after(target: Target, result: Result, before: dict[str, str], files: int) -> list[Problem]:
    """Return what is wrong with the service after a run."""
    problems = []
    for path in ("/health/live", "/health/ready", "/v1/get_player_count"):
        response = httpx2.get(f"http://{target.host}:{target.port}{path}", trust_env=False, timeout=30)
        if response.status_code != 200 and not (path == "/v1/get_player_count" and response.status_code == 429):
            problems.append(Problem("the service does not work any more", path, response.text))
    changed = sorted({name for name, _ in before.items() ^ target.state().items()})
    if changed:
        problems.append(Problem("data were changed", ", ".join(changed)))
    half = result.memory[len(result.memory) // 2]
    if result.memory[-1] - half > GROWTH:
        problems.append(
            Problem("the memory grows", "the process", f"{half:.0f} MiB, then {result.memory[-1]:.0f} MiB")
        )
    time.sleep(1)
    if target.open_files() > files + MORE_FILES:
        problems.append(Problem("open files", "the process", f"{files}, then {target.open_files()}"))
    return [*problems, *target.faults_in_log()]


def document(target: Target) -> Any:
    return httpx2.get(f"http://{target.host}:{target.port}/openapi.json", trust_env=False, timeout=30).json()


def show(target: Target, seed: int, number: int, bound: float) -> None:
    """Send one case and print it, the responses, and what is wrong with them."""
    case = Generator(seed, document(target)).case(number)
    client = Client(target.host, target.port, Checker(document(target), limited=False), bound)
    print(case.commands(target.host, target.port))

    async def send() -> None:
        outcome, _ = await client.exchange(case)
        for response in outcome.responses:
            print(response)
        print(outcome.problem or "nothing is wrong")

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(send())
    for problem in target.faults_in_log():
        print("\n".join(problem))


if __name__ == "__main__":
    main()
