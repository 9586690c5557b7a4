"""The command `check`."""

import asyncio
import logging
import sys
from pathlib import Path
from urllib.parse import urlsplit

import click
import msgspec

from checks.findings import Finding, Level, ok, report
from checks.order import run as run_checks
from config.settings import Settings
from demo.build import DATABASE
from demo.settings import in_demo_world

DEMO_UNBUILT = (
    "no database is configured (DATABASE_URL, DB_HOST); `main.py serve` will build and serve the demo world"
)
COLOURS: dict[Level, str] = {"ok": "green", "warning": "yellow", "error": "red"}
VERDICTS: dict[Level, str] = {
    "ok": "all is well",
    "warning": "it can be served, and something is to be done",
    "error": "it cannot be served as it is",
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
        raise click.BadParameter("an address such as https://api.example.com is accepted")
    return value


@click.command()
@click.option("--url", callback=_http_url, help="Also look at this public address as a browser would.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object instead of lines.")
@click.pass_context
def check(context: click.Context, url: str | None, as_json: bool) -> None:
    """Find out whether the settings, the database, Redis, the game server and the files are as they should be.

    Changes nothing. Ends with 0 when all is well, 1 with warnings, 2 when it cannot be served.
    """
    configured: Settings = context.obj()
    settings = in_demo_world(configured)
    demo = configured.database is None
    # The findings say the same as the log, and what to do about it.
    logging.getLogger("apidot").disabled = True
    if demo and not Path(settings.data_directory, DATABASE).exists():
        result = report([ok("settings.demo-unbuilt", DEMO_UNBUILT)])
    else:
        result = report(asyncio.run(run_checks(settings, demo=demo, url=url, progress=_show_progress)))
        _show_progress("")
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(result)))
    else:
        for finding in result.findings:
            click.echo(_line(finding))
        click.secho(VERDICTS[result.level], fg=COLOURS[result.level])
    context.exit(result.exit_code)


def _line(finding: Finding) -> str:
    advice = f" -> {finding.advice}" if finding.advice else ""
    level = click.style(f"{finding.level:8}", fg=COLOURS[finding.level])
    return f"{level} {finding.subject:12} {finding.text}{advice}"


def _show_progress(subject: str) -> None:
    if sys.stderr.isatty():
        # Each call replaces the line of the one before.
        click.echo(f"\r\033[K{subject}", err=True, nl=False)
