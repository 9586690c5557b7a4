"""Measures the service: python -m bench. What is found is printed, and saved in a folder."""

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
from bench.plan import FULL, QUICK
from bench.report import markdown, summary
from bench.run import run
from bench.worlds import UnfitFolder
from tests.support.install import CannotInstall

RESULTS = Path(__file__).parent / "results"


@click.command()
@click.option("--quick", is_flag=True, help="What five minutes allow: the smaller world, the key questions.")
@click.option(
    "--world",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder to keep the worlds in, and to find them in the next time; without it they are built anew.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to save in. Default: one in bench/results, named by the time.",
)
def main(quick: bool, world: Path | None, out: Path | None) -> None:
    """Measure the service, beside the least that could be."""
    # Stopped in whatever way, the servers and the load generator end too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    out = out or RESULTS / f"{datetime.now():%Y-%m-%d_%H.%M.%S}"
    with ExitStack() as stack:
        folder = world or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="apidot-")))
        folder.mkdir(parents=True, exist_ok=True)
        try:
            results, asked = run(QUICK if quick else FULL, folder, click.echo, keep=world is not None)
        except (UnfitFolder, CannotInstall, Failed) as error:
            raise click.ClickException(str(error)) from None
    out.mkdir(parents=True, exist_ok=True)
    (out / "results.json").write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1))
    (out / "results.md").write_text(markdown(results), encoding="utf-8")
    draw(results, asked, out / "results.png")
    click.echo(summary(results))
    click.echo(f"\nsaved in {os.path.relpath(out)}: results.json, results.md, results.png")
    sys.exit(any(check.passed is False for check in results.checks))


if __name__ == "__main__":
    main()
