"""The command line of the fuzzer: python -m fuzz."""

import asyncio
import logging
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from random import SystemRandom

import click
import uvloop

from fuzz.checks import Checker, Problem
from fuzz.generate import Generator
from fuzz.run import Client, Result, described, run, summary
from fuzz.target import Target, running

# How many cases are sent at a time.
CONNECTIONS = 16
# So many problems are tried again and described with the smallest case.
MAX_KINDS = 30
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
    # As an exception, SIGTERM also ends the servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # The game server of the tests logs each request that it refuses.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
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
    generator = Generator(seed, target.document())
    checker = Checker(target.document(), limited=limited)
    clients = [Client(target.host, target.port, checker, bound) for _ in range(CONNECTIONS)]

    async def send() -> Result:
        result = await run(clients, checker, generator, numbers, target.memory)
        if not limited:
            await clients[0].repeat_transient(result)
        result.memory.append(target.memory())
        for found in list(result.found.values())[:MAX_KINDS]:
            await clients[0].shrink(found)
        return result

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(send())
    for problem in after(target, result, before, files):
        result.add(problem, None)
    print(f"\nwith{'' if limited else 'out'} a rate limit:")
    print("\n".join(summary(result, generator.operations)))
    for message, count in Counter(warning[:100] for warning in target.warnings()).most_common(10):
        print(f"warning in the log, {count} times: {message}")
    print("\n".join(described(result.found.values(), target.host, target.port)), flush=True)
    return bool(result.found)


def after(target: Target, result: Result, before: dict[str, str], files: int) -> Iterator[Problem]:
    """Yield what is wrong with the service after a run: what it says, its data, its memory, its files, its log."""
    if target.get("/health/ready").json()["status"] != "ready":
        yield Problem("the service is not ready any more", "/health/ready", target.get("/health/ready").text)
    changed = sorted({name for name, _ in before.items() ^ target.state().items()})
    if changed:
        yield Problem("data were changed", ", ".join(changed))
    half, end = result.memory[len(result.memory) // 2], result.memory[-1]
    if end - half > GROWTH:
        yield Problem("the memory grows", "the process", f"{half:.0f} MiB, then {end:.0f} MiB")
    if target.open_files() > files + MORE_FILES:
        yield Problem("open files", "the process", f"{files}, then {target.open_files()}")
    yield from target.faults_in_log()


def show(target: Target, seed: int, number: int, bound: float) -> None:
    """Send one case and print it, the responses, and what is wrong with them."""
    case = Generator(seed, target.document()).case(number)
    client = Client(target.host, target.port, Checker(target.document(), limited=False), bound)
    print(case.commands(target.host, target.port))

    async def send() -> None:
        outcome = await client.alone(case)
        for response in outcome.responses[:20]:
            print(f"\n{response.status} {response.headers}\n{response.body[:2000]!r}")
        print(f"\n{len(outcome.responses)} responses; {outcome.problem or 'nothing is wrong'}")

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(send())
    for line in [*target.warnings(), *("\n".join(problem) for problem in target.faults_in_log())]:
        print(line)


if __name__ == "__main__":
    main()
