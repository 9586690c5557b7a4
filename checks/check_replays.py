"""The command `check-replays`."""

import asyncio
import os
import sys
import traceback
from collections import Counter
from contextlib import AsyncExitStack
from typing import Any

import click
import msgspec

from api.startup import open_database
from checks.replay_scan import KINDS, Problem, compare, decode, list_replays, read_scores
from config.settings import Settings
from demo.settings import in_demo_world
from domain.errors import CannotOpen, Unavailable
from replays.filename import MAX_SCORE_ID
from replays.store import open_store
from storage.database import catalogue

# How many problems of each kind are listed without --all.
SHOWN = 5
HEADING = f"{'problem':<12} {'score':>19}  why"


@click.command("check-replays", short_help="Find replays that are missing, orphaned or damaged.")
@click.option("--json", "as_json", is_flag=True, help="Write a JSON document with all problems.")
@click.option("--all", "list_all", is_flag=True, help="List all problems, not the first few of each kind.")
@click.option(
    "--since-id", default=0, type=click.IntRange(0, MAX_SCORE_ID), help="Leave out scores below this id."
)
@click.option("--names-only", is_flag=True, help="Compare names with scores, without reading the replays.")
@click.option(
    "--jobs",
    default=os.cpu_count() or 1,
    type=click.IntRange(1, 256),
    help="Processes that decode. Default: one for each core.",
)
@click.pass_context
def check_replays(
    context: click.Context, *, since_id: int, names_only: bool, jobs: int, as_json: bool, list_all: bool
) -> None:
    """Find replays that are missing, orphaned, truncated or undecodable. Nothing is changed.

    Exit code 0: nothing found. 1: something found. 2: it could not be checked.
    """
    settings = in_demo_world(context.obj())
    report = Report(as_json=as_json, list_all=list_all)
    try:
        asyncio.run(_check(settings, report, since_id, None if names_only else jobs))
    except (CannotOpen, Unavailable) as error:
        click.echo(f"apidot: {error}", err=True)
        context.exit(2)
    except BrokenPipeError:
        raise
    except Exception:
        # Python's own exit code for it is 1, which would mean that something was found.
        traceback.print_exc()
        context.exit(2)
    except KeyboardInterrupt:
        context.exit(130)
    report.end()
    context.exit(1 if report.counts else 0)


async def _check(settings: Settings, report: "Report", since_id: int, jobs: int | None) -> None:
    """Add what is wrong to the report; without `jobs`, from the names of the replays alone."""
    async with AsyncExitStack() as stack:
        database = await open_database(settings, stack)
        store = open_store(settings)
        reason = await store.unavailable_reason()
        if reason:
            raise CannotOpen(f"{store.name} cannot be read: {reason}")
        # Before the replays are listed: a score that is submitted after that is not one without a replay.
        newest = await database.one(catalogue.score_newest)
        with report.bar("listing") as bar:
            replays = await list_replays(store, since_id, bar.update)
        report.replays = len(replays)
        with report.bar("comparing") as bar:

            def compared(scores: int) -> None:
                report.scores += scores
                bar.update(scores)

            pages = read_scores(database, since_id)
            async for problem in compare(replays, pages, newest.id if newest else 0, compared):
                report.add(problem)
        if jobs is None:
            return
        with report.bar("decoding", len(replays)) as bar:
            async for problem in decode(settings, replays, jobs, bar.update):
                report.add(problem)


class Report:
    """Writes the totals and the first problems of each kind at the end, or all problems at once as they are found.

    A million problems take no memory either way. Progress goes to stderr.
    """

    def __init__(self, *, as_json: bool, list_all: bool) -> None:
        self.counts: Counter[str] = Counter()
        self.replays = 0
        self.scores = 0
        self._as_json = as_json
        self._list_all = list_all
        self._first: list[Problem] = []

    def bar(self, label: str, length: int | None = None) -> Any:
        """Return a progress bar, with a percentage if the length is known."""
        return click.progressbar(
            iter(int, 1) if length is None else None,  # an endless iterator has no length
            length=length,
            label=f"{label:<10}",
            file=sys.stderr,
            hidden=not sys.stderr.isatty(),
            show_pos=True,
        )

    def add(self, problem: Problem) -> None:
        """Note a problem, and write it if all are listed."""
        first = not self.counts
        self.counts[problem.problem] += 1
        if not (self._as_json or self._list_all):
            if self.counts[problem.problem] <= SHOWN:
                self._first.append(problem)
            return
        if sys.stderr.isatty():
            # Clears the progress bar, which is drawn again by the next step.
            click.echo("\r\x1b[K", nl=False, err=True)
        if self._as_json:
            click.echo(('{"findings": [\n' if first else ",\n") + msgspec.json.encode(problem).decode(), nl=False)
            return
        if first:
            click.echo(HEADING)
        _write(problem)

    def end(self) -> None:
        """Write the totals, and the first problems of each kind unless all were written before."""
        totals = {kind: self.counts[kind] for kind in KINDS}
        if self._as_json:
            counts = msgspec.json.encode({"replays": self.replays, "scores": self.scores, **totals}).decode()
            click.echo(("\n], " if self.counts else '{"findings": [], ') + counts[1:])
            return
        click.echo(
            f"{self.replays} replays and {self.scores} scores checked: "
            + ", ".join(f"{number} {kind}" for kind, number in totals.items())
        )
        if not self._first:
            return
        click.echo(f"\n{HEADING}")
        for kind, number in totals.items():
            for problem in self._first:
                if problem.problem == kind:
                    _write(problem)
            if number > SHOWN:
                click.echo(f"{kind:<12} {number - SHOWN:>19}  more; --all lists them")


def _write(problem: Problem) -> None:
    click.echo(f"{problem.problem:<12} {problem.id:>19}  {problem.why}")
