"""Command line and composition root: the one place that reads the environment."""

import asyncio
import os
import re
import shlex
import signal
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from click.shell_completion import get_completion_class
from dotenv import dotenv_values
from starlette.types import ASGIApp

from api.app import build
from api.observability.log_format import set_up
from api.observability.metrics import Metrics
from api.server import check_port_free, check_reload_possible, listen, url_of
from api.startup import open_services, startup_report
from checks.check_replays import check_replays
from checks.command import check
from config.environment import MAY_BE_EMPTY, BadSetting, settings_from
from config.settings import Settings
from demo.build import DATABASE
from demo.build import build as build_demo
from demo.command import Bars, demo
from demo.load import WorldExists
from demo.settings import demo_folder, in_demo_world
from domain.errors import CannotOpen
from storage.observer import Observer

# Workers are processes of their own, which read the same settings again.
ENV_FILE = "APIDOT_ENV_FILE"
# A folder that they share.
SHARED = "APIDOT_SHARED"
# Where several workers keep their figures; the Prometheus library reads it when it is imported.
FIGURES = "PROMETHEUS_MULTIPROC_DIR"
ROOT = Path(__file__).resolve().parent
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
        return settings_from(settings_in(file) | from_environment, file.resolve().parent)
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

    Settings come from the environment, then from the file, then from defaults; docs/settings.md lists them.
    """
    if env_file:
        os.environ[ENV_FILE] = str(Path(env_file).resolve())
    # Commands of other packages get their settings by calling this.
    context.obj = load_settings


@cli.command()
@click.option("--host", help="Address to listen on. Default: API_HOST, else 127.0.0.1.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on. Default: API_PORT, else 8000.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes. Default: API_WORKERS, else 1.")
@click.option("--reload", is_flag=True, help="Start again when code or a statement changes; for developers.")
def serve(host: str | None, port: int | None, workers: int | None, reload: bool) -> None:
    """Answer requests; without a configured database, from the demo world."""
    if workers:
        # Workers read the settings for themselves, and have to know of each other.
        os.environ["API_WORKERS"] = str(workers)
    configured = load_settings()
    settings = in_demo_world(configured)
    set_up(settings)
    host, port = host or settings.api_host, port or settings.api_port
    try:
        if reload:
            check_reload_possible(settings.api_workers)
        check_port_free(host, port)
        if configured.database is None:
            make_demo_world(demo_folder(configured))
        lines = asyncio.run(startup_report(settings))
    except CannotOpen as error:
        raise CannotStart(str(error)) from None
    url = url_of(host, port)
    lines = [f"address       {url}", f"docs          {url}/docs", *lines]
    click.echo("apidot" + (" with the demo world" if configured.database is None else ""))
    for line in [*lines, *(f"try           {url}{path}" for path in TO_TRY)]:
        click.echo(f"  {line}")
    # uvicorn answers what is in flight, and then raises the signal again: a stop must not look like a crash.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with TemporaryDirectory(prefix="apidot-") as shared:
        os.environ[SHARED] = shared
        if settings.api_workers > 1:
            Path(shared, "figures").mkdir()
            os.environ[FIGURES] = str(Path(shared, "figures"))
        listen(settings, host, port, reload)


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what makes main.py a command of the shell, completed by the tab key.

    In bash and zsh: source <(.venv/bin/python main.py completion bash); in fish: … completion fish | source.
    """
    kind = get_completion_class(shell)
    assert kind is not None
    run = f"{shlex.quote(sys.executable)} {shlex.quote(str(ROOT / 'main.py'))}"
    # click's own script calls the command by its name, where only a program would be found and no function.
    script = re.sub(
        rf"(={shell}_complete.*) (?:\$1|main\.py)\)",
        lambda found: f"{found[1]} {run})",
        kind(cli, {}, "main.py", "_MAIN_PY_COMPLETE").source(),
    )
    script = "\n".join(line for line in script.splitlines() if "$+commands" not in line)
    click.echo(f"function main.py; {run} $argv; end" if shell == "fish" else f'main.py() {{ {run} "$@"; }}')
    click.echo(script)


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
cli.add_command(check_replays)
cli.add_command(check)


if __name__ == "__main__":
    cli()
