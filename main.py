"""Command line and composition root: the one place that reads the environment."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import uvicorn
from dotenv import dotenv_values
from starlette.types import ASGIApp

from api.app import build
from api.protocol import Protocol
from api.watch.logs import set_up
from api.watch.metrics import Metrics
from demo.build import DATABASE
from demo.build import build as build_demo
from demo.command import Bars, demo
from demo.load import WorldExists
from demo.settings import demo_folder, in_demo_world
from doctor.command import check
from domain.errors import CannotOpen
from domain.settings import Settings
from domain.settings_text import MAY_BE_EMPTY, BadSetting, read_settings
from replays.command import check_replays
from startup import found, open_services
from storage.observer import Observer
from storage.score_ids import Scores

# Workers are processes of their own, which read the same settings again.
ENV_FILE = "APIDOT_ENV_FILE"
# A folder that they share.
SHARED = "APIDOT_SHARED"
# Where several workers keep their figures; the Prometheus library reads it when it is imported.
FIGURES = "PROMETHEUS_MULTIPROC_DIR"
TO_TRY = (
    "/v1/get_player_info?scope=all&id=3",
    "/v1/get_leaderboard?mode=0",
    "/v1/get_player_scores?scope=best&id=3",
)


class CannotStart(click.ClickException):
    """Ends a command with one line about what is wrong, and exit code 2."""

    exit_code = 2

    def show(self, file: object = None) -> None:
        """Writes the line."""
        click.echo(f"apidot: {self.message}", err=True)


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings: the environment first, then the file that --env names, then defaults.

    Raises CannotStart for a value that cannot be used.
    """
    file = Path(environ.get(ENV_FILE, ".env"))
    from_environment = {name: value for name, value in environ.items() if value or name in MAY_BE_EMPTY}
    try:
        return read_settings(settings_in(file) | from_environment, file.resolve().parent)
    except BadSetting as error:
        raise CannotStart(str(error)) from None


def settings_in(file: Path) -> dict[str, str]:
    """What a settings file holds, nothing when it is not there. Raises CannotStart when it cannot be read."""
    if not file.is_file():
        return {}
    try:
        # Editors of Windows begin a file with a byte order mark.
        return {name: value or "" for name, value in dotenv_values(file, encoding="utf-8-sig").items()}
    except (OSError, UnicodeDecodeError) as error:
        raise CannotStart(f"{file}: cannot be read ({error})") from None


def application() -> ASGIApp:
    """The ASGI application, made once in each worker."""
    shared = os.environ.get(SHARED)
    settings = in_demo_world(load_settings())
    set_up(settings)
    if not settings.metrics_for:
        observer = Observer(settings.slow_statement)
        return build(settings, partial(open_services, shared=shared, observer=observer))
    folder = os.environ.get(FIGURES)
    metrics = Metrics(Path(folder) if folder else None, settings.slow_statement)
    return build(settings, partial(open_services, shared=shared, observer=metrics), metrics)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--env",
    "env_file",
    type=click.Path(exists=True, dir_okay=False),
    help="File with settings, such as bancho.py's own .env. Default: .env in this folder, if there is one.",
)
@click.pass_context
def cli(context: click.Context, env_file: str | None) -> None:
    """apidot: the api. subdomain of an osu! private server.

    Settings come from the environment, then from the file, then from defaults; the README lists them.
    """
    if env_file:
        os.environ[ENV_FILE] = str(Path(env_file).resolve())
    # Commands of other packages get their settings by calling this.
    context.obj = load_settings


@cli.command()
@click.option("--host", help="Address to listen on. Default: API_HOST, else 127.0.0.1.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on. Default: API_PORT, else 8000.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes. Default: API_WORKERS, else 1.")
def serve(host: str | None, port: int | None, workers: int | None) -> None:
    """Answer requests; without a configured database, from the demo world."""
    configured = load_settings()
    settings = in_demo_world(configured)
    set_up(settings)
    if configured.database is None:
        make_demo_world(demo_folder(configured))
    host, port = host or settings.api_host, port or settings.api_port
    click.echo("apidot" + (" with the demo world" if configured.database is None else ""))
    try:
        lines = asyncio.run(found(settings))
    except CannotOpen as error:
        raise CannotStart(str(error)) from None
    for line in lines:
        click.echo(f"  {line}")
    for path in TO_TRY:
        click.echo(f"  try           http://{host}:{port}{path}")
    # uvicorn answers what is in flight, and then raises the signal again: a stop must not look like a crash.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with TemporaryDirectory(prefix="apidot-") as shared:
        workers = workers or settings.api_workers
        os.environ[SHARED] = shared
        if workers > 1:
            Path(shared, "figures").mkdir()
            os.environ[FIGURES] = str(Path(shared, "figures"))
        listen(host, port, workers, settings.log_level)


def listen(host: str, port: int, workers: int, log_level: str) -> None:
    """Answer requests until a signal ends it."""
    uvicorn.run(
        "main:application",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        loop="uvloop",
        http=Protocol,
        log_level=log_level,
        log_config=None,
        access_log=False,
        # Forwarding headers count only from configured proxies; uvicorn would believe every local one.
        proxy_headers=False,
        server_header=False,
        # nginx keeps idle connections for a minute; closing them first would race with its next request.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=10,
    )


def make_demo_world(folder: Path) -> None:
    """Build the demo world into `folder`, unless it is there."""
    if (folder / DATABASE).exists():
        return
    try:
        with Bars() as bars:
            build_demo(folder, progress=bars)
    except WorldExists as error:
        raise CannotStart(f"the demo world cannot be built: {error}") from None


cli.add_command(demo)
cli.add_command(check_replays(lambda settings: open_services(in_demo_world(settings)), Scores))
cli.add_command(check)


if __name__ == "__main__":
    cli()
