"""The fault suite: python -m faults. Prints a Markdown table, and its progress on standard error."""

import signal
import sys

import click

from faults.fault import NeedsRoot
from faults.paths import known_copies
from faults.report import table
from faults.servers import DRIVERS, start_servers
from faults.suite import FAULTS, Plan, Result, run
from tests.support.install import CannotInstall


def selected(_: click.Context, __: click.Parameter, text: str | None) -> list[str]:
    """Return the names of the faults whose names contain one of the words."""
    words = [word.strip() for word in text.split(",")] if text else [""]
    for word in words:
        if not any(word in name for name in FAULTS):
            raise click.BadParameter(f"{word} is none of {', '.join(FAULTS)}")
    return [name for name in FAULTS if any(word in name for word in words)]


@click.command()
@click.option(
    "--rounds", type=click.IntRange(1), default=1, show_default=True, help="How often each fault is made."
)
@click.option(
    "--seconds", type=click.FloatRange(0.5), default=10.0, show_default=True, help="How long each fault lasts."
)
@click.option("--only", "names", callback=selected, help="Faults, or parts of their names, separated by commas.")
@click.option("--driver", "drivers", type=click.Choice(list(DRIVERS)), multiple=True, default=tuple(DRIVERS))
def main(rounds: int, seconds: float, names: list[str], drivers: tuple[str, ...]) -> None:
    """Make faults while the service answers 100 requests a second, and check every response.

    The exit code is 1 if anything is not as documented.
    """
    # As an exception, SIGTERM also ends the servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    plan = Plan(rounds=rounds, seconds=seconds)
    chosen = [(FAULTS[name], driver) for name in names for driver in drivers]
    results: list[Result] = []
    try:
        with start_servers() as servers:
            known = known_copies(servers, drivers[0])
            for number, (fault, driver) in enumerate(chosen, 1):
                say(f"{number} of {len(chosen)}: {fault.title}, {driver}")
                try:
                    results.append(run(servers, known, fault, driver, plan, say))
                except NeedsRoot as error:
                    say(f"not made: {error}")
    except CannotInstall as error:
        raise click.ClickException(str(error)) from None
    finally:
        if results:
            click.echo(table(results))
    sys.exit(any(result.problems for result in results))


def say(line: str) -> None:
    click.echo(line, err=True)


if __name__ == "__main__":
    main()
