"""The benchmark: python -m bench. Prints the results and saves them in a folder."""

import os
import signal
import sys
import tempfile
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import click
import msgspec

from bench.chart import draw
from bench.load import Failed
from bench.peer import UnfitPeer
from bench.plan import FULL, QUICK
from bench.report import markdown, summary
from bench.run import run
from bench.worlds import UnfitFolder
from tests.support.install import CannotInstall
from tests.support.processes import NotReady

RESULTS = Path(__file__).parent / "results"


@click.command()
@click.option("--quick", is_flag=True, help="Five minutes: the smaller world and the most important cases only.")
@click.option(
    "--world",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder in which the worlds are kept for the next run. Default: they are built, and deleted at the end.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the results. Default: a new one in bench/results.",
)
@click.option(
    "--peer",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="A checkout of bancho.py with its environment in .venv or venv, to be measured on the same data.",
)
def main(quick: bool, world: Path | None, out: Path | None, peer: Path | None) -> None:
    """Measure the service, and compare it with minimal applications.

    The exit code is 1 if a promise was missed.
    """
    # As an exception, SIGTERM also ends the servers and the load generator.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    out = out or RESULTS / f"{datetime.now():%Y-%m-%d_%H.%M.%S}"
    with ExitStack() as stack:
        folder = world or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="apidot-")))
        folder.mkdir(parents=True, exist_ok=True)
        try:
            plan = msgspec.structs.replace(QUICK if quick else FULL, peer=peer)
            results, cases = run(plan, folder, click.echo, keep=world is not None)
        except (UnfitFolder, UnfitPeer, CannotInstall, NotReady, Failed) as error:
            raise click.ClickException(str(error)) from None
    out.mkdir(parents=True, exist_ok=True)
    (out / "results.json").write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1))
    (out / "results.md").write_text(markdown(results), encoding="utf-8")
    draw(results, cases, out / "results.png")
    click.echo(summary(results))
    click.echo(f"\nsaved in {os.path.relpath(out)}: results.json, results.md, results.png")
    sys.exit(any(promise.passed is False for promise in results.promises))


if __name__ == "__main__":
    main()
