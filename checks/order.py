"""All checks of the command `check`, in order, each with a time limit."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from api.startup import open_game_server, open_ranks, open_rate_limiter
from checks import (
    browser,
    clock,
    configuration,
    database,
    files,
    game_server,
    indexes,
    pp_engine,
    redis,
    replays,
    replicas,
    schema,
)
from checks.findings import Finding, warning
from config.settings import Settings
from domain.errors import Unavailable
from storage.database.database import Database

# Called with the subject that is checked next.
Progress = Callable[[str], None]


async def run(settings: Settings, *, demo: bool, url: str | None, progress: Progress) -> list[Finding]:
    """Check everything these settings name, and the service at `url` if one is given."""
    findings = configuration.run(settings, demo=demo)
    # A slow dependency is slow, not down.
    settings = replace(
        settings,
        db_statement_timeout=max(settings.db_statement_timeout, 10.0),
        redis_timeout=max(settings.redis_timeout, 2.0),
    )

    # `limit` is in seconds.
    async def step(subject: str, limit: int, check: Awaitable[list[Finding]]) -> None:
        progress(subject)
        findings.extend(await _limited(subject, limit, check))

    async with AsyncExitStack() as stack:
        progress("database")
        opened, finding = await database.run(settings, stack)
        findings.append(finding)
        reachable = opened if finding.level == "ok" else None
        if reachable:
            await step("database", 10, database.run_encryption(reachable))
            await step("database", 10, database.run_privileges(reachable))
            await step("database", 10, database.run_connections(reachable, settings))
            await step("replicas", 30, replicas.run(settings))
            await step("schema", 30, schema.run(reachable))
            await step("schema", 30, indexes.run_keys(reachable))
            await step("indexes", 30, indexes.run(reachable))
            await step("clock", 10, clock.run(reachable, settings))
        if opened:
            ranks = open_ranks(settings, opened, stack)
            limiter = open_rate_limiter(settings, stack)
            await step("redis", 60, redis.run(ranks, limiter, reachable, settings, progress))
        server = open_game_server(settings, stack)
        await step("game-server", 15, game_server.run(server, settings, demo=demo))
        await step("files", 30, _files(settings, reachable))
        await step("pp-engine", 15, pp_engine.run(settings))
        if url:
            await step("browser", 60, browser.run(url, settings))
    return findings


async def _limited(subject: str, limit: int, check: Awaitable[list[Finding]]) -> list[Finding]:
    try:
        async with asyncio.timeout(limit):
            return await check
    except TimeoutError:
        text = f"not found out within {limit} s"
        return [warning(f"{subject}.slow", text, "something behind it hangs: try again, or look at its load")]
    except Unavailable as unavailable:
        text = f"not found out: {unavailable.__cause__ or unavailable}"
        return [warning(f"{subject}.failed", text, "the database answers some questions and not this one")]


async def _files(settings: Settings, reachable: Database | None) -> list[Finding]:
    # The event loop waits for its own threads when it closes: a network file system that hangs would hold up the
    # end of the command.
    checked = Future[list[Finding]]()
    checked.set_running_or_notify_cancel()

    def check() -> None:
        try:
            checked.set_result(files.run(Path(settings.data_directory)))
        except Exception as error:
            checked.set_exception(error)

    threading.Thread(target=check, daemon=True).start()
    return [*await asyncio.wrap_future(checked), *await replays.run(settings, reachable)]
