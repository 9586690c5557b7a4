"""`check-replays`: what is wrong with the stored replays, on the command line."""

import asyncio
import os
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import click
import msgspec

from checks.replay_scan import PROBLEMS, Archive, Finding, Scores, compare, decode, stored
from config.settings import Settings
from domain.errors import CannotOpen, Unavailable
from replays.score_ids import INT64
from replays.store import ReplayStore


class Services(Protocol):
    """What the command needs of the services."""

    @property
    def settings(self) -> Settings: ...
    @property
    def database(self) -> Any: ...
    @property
    def replays(self) -> ReplayStore: ...


OpenServices = Callable[[Settings], AbstractAsyncContextManager[Services]]
ScoresOf = Callable[[Any], Scores]  # of a database


class CannotCheck(click.ClickException):
    """Ends the command with one line about what is wrong, and exit code 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Writes the line."""
        click.echo(f"apidot: {self.message}", err=True)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What is checked, and how it is told."""

    since_id: int
    names_only: bool
    jobs: int
    as_json: bool


def check_replays(open_services: OpenServices, scores_of: ScoresOf) -> click.Command:
    """The command, for what `open_services` opens."""

    @click.command("check-replays")
    @click.option("--json", "as_json", is_flag=True, help="Write a JSON document instead of a table.")
    @click.option("--since-id", default=0, type=click.IntRange(0, INT64), help="Leave out scores below this id.")
    @click.option("--names-only", is_flag=True, help="Compare names with scores, without reading the replays.")
    @click.option(
        "--jobs",
        default=os.cpu_count() or 1,
        type=click.IntRange(1, 256),
        help="Processes that decode. Default: one for each core.",
    )
    @click.pass_context
    def command(context: click.Context, /, **options: Any) -> None:
        """Find replays that are missing, orphaned, truncated or undecodable. Nothing is changed.

        Exit code 0: nothing found. 1: something found. 2: it could not be checked.
        """
        report = Report(as_json=options["as_json"])
        try:
            asyncio.run(_check(open_services(context.obj()), scores_of, Options(**options), report))
        except (CannotOpen, Unavailable) as error:
            raise CannotCheck(str(error)) from error
        except (click.ClickException, BrokenPipeError):
            raise
        except Exception:
            # Python's own exit code for it, 1, would mean that something was found.
            traceback.print_exc()
            context.exit(2)
        except KeyboardInterrupt:
            context.exit(130)
        report.end()
        context.exit(1 if report.found else 0)

    return command


async def _check(
    opening: AbstractAsyncContextManager[Services], scores_of: ScoresOf, options: Options, report: "Report"
) -> None:
    async with opening as services:
        archive = Archive(settings=services.settings, place=services.replays, scores=scores_of(services.database))
        fault = await archive.place.unavailable_reason()
        if fault:
            raise CannotCheck(f"{archive.place.name} cannot be read: {fault}")
        # The newest before the files: a score that comes meanwhile is not one whose file is missing.
        newest = await archive.scores.newest()
        with report.bar("listing") as bar:
            files = await stored(archive, options.since_id, bar.update)
        report.replays = len(files)
        with report.bar("comparing") as bar:

            def compared(scores: int) -> None:
                report.scores += scores
                bar.update(scores)

            async for finding in compare(archive, files, options.since_id, newest, compared):
                report.add(finding)
        if options.names_only:
            return
        with report.bar("decoding", len(files)) as bar:
            async for finding in decode(archive, files, options.jobs, bar.update):
                report.add(finding)


class Report:
    """Writes each finding as it comes, so that a million of them take no memory; progress goes to stderr."""

    def __init__(self, *, as_json: bool) -> None:
        self.found: Counter[str] = Counter()
        self.replays = 0
        self.scores = 0
        self._as_json = as_json

    def bar(self, label: str, length: int | None = None) -> Any:
        """A progress bar; without a length, of how much was done."""
        return click.progressbar(
            iter(int, 1) if length is None else None,  # an iterator that tells no length
            length=length,
            label=f"{label:<10}",
            file=sys.stderr,
            hidden=not sys.stderr.isatty(),
            show_pos=True,
        )

    def add(self, finding: Finding) -> None:
        """Writes a finding."""
        if sys.stderr.isatty():
            click.echo("\r\x1b[K", nl=False, err=True)  # the bar, which comes again
        first = not self.found
        self.found[finding.problem] += 1
        if self._as_json:
            click.echo(('{"findings": [\n' if first else ",\n") + msgspec.json.encode(finding).decode(), nl=False)
            return
        if first:
            click.echo(f"{'problem':<12} {'score':>19}  why")
        click.echo(f"{finding.problem:<12} {finding.id:>19}  {finding.why}")

    def end(self) -> None:
        """Writes the totals."""
        totals = {problem: self.found[problem] for problem in PROBLEMS}
        if self._as_json:
            counts = msgspec.json.encode({"replays": self.replays, "scores": self.scores, **totals}).decode()
            click.echo(("\n], " if self.found else '{"findings": [], ') + counts[1:])
            return
        click.echo(
            f"{self.replays} replays and {self.scores} scores checked: "
            + ", ".join(f"{number} {problem}" for problem, number in totals.items())
        )
