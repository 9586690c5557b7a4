"""The order of an examination: one subject after the other, each bounded in time."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from checks import browser, clock, configuration, database, files, game_server, ranks, replays, schema
from checks.findings import Finding, warning
from config.settings import Settings
from domain.errors import Unavailable
from storage.database.database import Database

T = TypeVar("T")
# Called with what is being looked at, and again when it has been.
Progress = Callable[[str], None]


class Step(NamedTuple):
    """A subject, what finds out about it, and how many seconds it may take."""

    subject: str
    run: Callable[[], Awaitable[Sequence[Finding]]]
    seconds: float


async def run(settings: Settings, *, demo: bool, url: str | None, progress: Progress) -> list[Finding]:
    """Everything there is to find out about these settings, and about `url` if there is one."""
    findings = configuration.run(settings, demo=demo)
    opened = reachable = None
    try:
        try:
            progress("database")
            opened = database.opened(settings)
            findings += await database.run(opened, settings)
            reachable = opened
        except database.Unreachable as unreachable:
            findings.append(unreachable.finding)
        for step in steps(settings, reachable, demo, url, progress):
            progress(step.subject)
            findings += await _bounded(step)
    finally:
        if opened is not None:
            await opened.disconnect()
    return findings


def steps(
    settings: Settings, reachable: Database | None, demo: bool, url: str | None, progress: Progress
) -> list[Step]:
    """What to look at; without a database, what can be looked at without one."""
    found = []
    if reachable is not None:
        found += [
            Step("database", lambda: database.run_privileges(reachable), 10),
            Step("database", lambda: database.run_connections(reachable, settings), 10),
            Step("schema", lambda: schema.run(reachable), 30),
            Step("indexes", lambda: schema.run_indexes(reachable), 15),
            Step("clock", lambda: clock.run(reachable), 10),
        ]
    found += [
        Step("redis", lambda: ranks.run(settings, reachable, progress), 60),
        Step("game-server", lambda: game_server.run(settings, demo=demo), 15),
        Step("files", lambda: _files(settings, reachable), 30),
    ]
    if url is not None:
        found.append(Step("browser", lambda: browser.run(url, settings.origins), 60))
    return found


async def _bounded(step: Step) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(step.seconds):
            return await step.run()
    except TimeoutError:
        text = f"not found out within {step.seconds:.0f} s"
        return [warning(f"{step.subject}.slow", text, "something behind it hangs: try again, or look at its load")]
    except Unavailable as unavailable:
        text = f"not found out: {unavailable.__cause__ or unavailable}"
        return [warning(f"{step.subject}.failed", text, "the database answers some questions and not this one")]


async def _files(settings: Settings, reachable: Database | None) -> list[Finding]:
    # First without the loop's own threads: a folder that hangs would hold up their end, and so that of the check.
    found = await _in_thread(lambda: files.run(Path(settings.data_directory)))
    return [*found, *await replays.run(settings, reachable)]


async def _in_thread(function: Callable[[], T]) -> T:
    """What `function` returns. A folder of a network that hangs holds up neither the check nor its end."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        try:
            result = function()
        except Exception as error:
            loop.call_soon_threadsafe(done.set_exception, error)
        else:
            loop.call_soon_threadsafe(done.set_result, result)

    threading.Thread(target=run, daemon=True).start()
    return await done
