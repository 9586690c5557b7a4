"""All checks of the command `check`, in order, each with a time limit."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from api.startup import open_game_server, open_ranks
from checks import browser, clock, configuration, database, files, game_server, redis, replays, schema
from checks.findings import Finding, warning
from config.settings import Settings
from domain.errors import Unavailable
from storage.database.database import Database

T = TypeVar("T")
# Called with the subject that is checked next.
Progress = Callable[[str], None]


class Step(NamedTuple):
    """A check, and its time limit in seconds."""

    subject: str
    run: Callable[[], Awaitable[Sequence[Finding]]]
    timeout: float


async def run(settings: Settings, *, demo: bool, url: str | None, progress: Progress) -> list[Finding]:
    """Check everything these settings name, and the service at `url` if one is given."""
    findings = configuration.run(settings, demo=demo)
    settings = with_longer_timeouts(settings)
    async with AsyncExitStack() as stack:
        progress("database")
        opened, finding = await database.run(settings, stack)
        findings.append(finding)
        reachable = opened if finding.level == "ok" else None
        steps = [*_on_database(reachable, settings)] if reachable else []
        if opened:
            ranks = open_ranks(settings, opened, stack)
            steps.append(Step("redis", lambda: redis.run(ranks, reachable, settings, progress), 60))
        server = open_game_server(settings, stack)
        steps.append(Step("game-server", lambda: game_server.run(server, settings, demo=demo), 15))
        steps.append(Step("files", lambda: _files(settings, reachable), 30))
        if url:
            steps.append(Step("browser", lambda: browser.run(url, settings.origins), 60))
        for step in steps:
            progress(step.subject)
            findings += await _limited(step)
    return findings


def with_longer_timeouts(settings: Settings) -> Settings:
    """Return the settings for a check: a slow dependency is slow, not down."""
    return msgspec.structs.replace(
        settings,
        db_statement_timeout=max(settings.db_statement_timeout, 10.0),
        redis_timeout=max(settings.redis_timeout, 2.0),
    )


def _on_database(reachable: Database, settings: Settings) -> Iterator[Step]:
    yield Step("database", lambda: database.run_privileges(reachable), 10)
    yield Step("database", lambda: database.run_connections(reachable, settings), 10)
    yield Step("schema", lambda: schema.run(reachable), 30)
    yield Step("indexes", lambda: schema.run_indexes(reachable), 15)
    yield Step("clock", lambda: clock.run(reachable), 10)


async def _limited(step: Step) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(step.timeout):
            return await step.run()
    except TimeoutError:
        text = f"not found out within {step.timeout:.0f} s"
        return [warning(f"{step.subject}.slow", text, "something behind it hangs: try again, or look at its load")]
    except Unavailable as unavailable:
        text = f"not found out: {unavailable.__cause__ or unavailable}"
        return [warning(f"{step.subject}.failed", text, "the database answers some questions and not this one")]


async def _files(settings: Settings, reachable: Database | None) -> list[Finding]:
    findings = await _in_daemon_thread(lambda: files.run(Path(settings.data_directory)))
    return [*findings, *await replays.run(settings, reachable)]


async def _in_daemon_thread(function: Callable[[], T]) -> T:
    """Return what `function` returns.

    The event loop waits for its own threads when it closes: a network file system that hangs would hold up the end
    of the command.
    """
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
