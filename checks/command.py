"""The command `check`."""

import asyncio
import logging
import sys
import traceback
from pathlib import Path
from urllib.parse import urlsplit

import click
import msgspec

from checks.configuration import unused
from checks.findings import Finding, Level, error, ok, report
from checks.order import run as run_checks
from config.settings import Settings
from demo.build import DATABASE
from demo.settings import in_demo_world

DEMO_UNBUILT = "nothing names a game server; `main.py serve` will build and serve the demo world"
COLOURS: dict[Level, str] = {"ok": "green", "warning": "yellow", "error": "red"}
VERDICTS: dict[Level, str] = {
    "ok": "all is well",
    "warning": "it can be served, but there are warnings",
    "error": "there are errors, see above",
}


def _http_url(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        _port = parts.port
    except ValueError:
        raise click.BadParameter("not an address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise click.BadParameter("expected an address such as https://api.example.com")
    return value


@click.command(short_help="Check the settings, and everything that they name.")
@click.option("--url", callback=_http_url, help="Also look at this public address as a browser would.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object instead of lines, in any case.")
@click.pass_context
def check(context: click.Context, url: str | None, as_json: bool) -> None:
    """Find out whether the settings, the database, Redis, the game server and the files are as they should be.

    Changes nothing. Ends with 0 when all is well, 1 with warnings, 2 with errors.
    """
    try:
        result = report(_find(context.obj(), url))
    except click.ClickException as refused:
        if not as_json:
            raise
        result = report([error("settings.refused", refused.message, "docs/settings.md says what is accepted")])
    except Exception as failure:
        # Neither JSON nor the exit code 2 may depend on a mistake in a check.
        result = report([error("check.failed", f"a check failed: {_mistake(failure)}", "please report this")])
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(result)))
    else:
        for finding in result.findings:
            click.echo(_line(finding))
        click.secho(VERDICTS[result.level], fg=COLOURS[result.level])
    context.exit(result.exit_code)


def _find(configured: Settings, url: str | None) -> list[Finding]:
    settings = in_demo_world(configured)
    demo = configured.database is None
    # The findings say the same as the log, and what to do about it.
    logging.getLogger("apidot").disabled = True
    if demo and not Path(settings.data_directory, DATABASE).exists():
        return [ok("settings.demo-unbuilt", DEMO_UNBUILT), *unused(settings)]
    findings = asyncio.run(run_checks(settings, demo=demo, url=url, progress=_show_progress))
    _show_progress("")
    return findings


def _mistake(failure: Exception) -> str:
    """Return which exception was raised where, without its message, which may have a password in it."""
    *_, frame = traceback.extract_tb(failure.__traceback__)
    return f"{type(failure).__name__} in line {frame.lineno} of {Path(frame.filename).name}"


def _line(finding: Finding) -> str:
    advice = f" -> {finding.advice}" if finding.advice else ""
    level = click.style(f"{finding.level:8}", fg=COLOURS[finding.level])
    return f"{level} {finding.subject:12} {finding.text}{advice}"


def _show_progress(subject: str) -> None:
    if sys.stderr.isatty():
        # Each call replaces the line of the one before.
        click.echo(f"\r\033[K{subject}", err=True, nl=False)
