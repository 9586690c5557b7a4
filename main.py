"""The commands of apidot: serve, check, check-replays, demo and completion."""

import os
import re
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import get_completion_class

from config.version import VERSION

# What a command needs is imported by its function: importing all of it takes ten times as long as `--help`.
if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from config.settings import Settings

# A folder that all workers share.
SHARED = "APIDOT_SHARED"
# A file system in memory, which Linux has.
MEMORY = "/dev/shm"
# The folder for the metrics of several workers; prometheus_client reads this variable when it is imported.
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
ROOT = Path(__file__).resolve().parent
EXAMPLES = (
    "/v1/get_player_info?scope=all&id=3",
    "/v1/get_leaderboard?mode=0",
    "/v1/get_player_scores?scope=best&id=3",
)


class CannotStart(click.ClickException):
    """Ends a command with an error message of one line and exit code 2."""

    exit_code = 2

    def show(self, file: object = None) -> None:
        click.echo(f"apidot: {self.message}", err=True)


class Commands(click.Group):
    """Commands whose usage errors are one line, as other errors are."""

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        with usage_errors_in_one_line():
            return super().make_context(*arguments, **options)

    def invoke(self, context: click.Context) -> Any:
        with usage_errors_in_one_line():
            return super().invoke(context)


class ImportedCommand(click.Command):
    """A command of another module, which is imported when the command is run."""

    def __init__(self, name: str, module: str, function: str, *, help: str, params: list[click.Parameter]) -> None:
        """`params` are added to those of the command."""
        super().__init__(name, short_help=help)
        self._module = module
        self._function = function
        self._added = params

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        command: click.Command = getattr(import_module(self._module), self._function)
        command.params += [param for param in self._added if param not in command.params]
        return command.make_context(*arguments, **options)


@contextmanager
def usage_errors_in_one_line() -> Iterator[None]:
    try:
        yield
    # This one shows the help.
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        help = f"{error.ctx.command_path} --help" if error.ctx else "--help"
        raise CannotStart(f"{' '.join(error.format_message().split()).rstrip('.')}; see {help}") from None


def use_settings_file(_: click.Context, __: click.Parameter, file: str | None) -> None:
    """Name the settings file to whatever reads the settings later, each worker included."""
    if file:
        from config.sources import ENV_FILE

        os.environ[ENV_FILE] = str(Path(file).absolute())


def settings_or_exit() -> "Settings":
    """Return the settings. Raise CannotStart if they cannot be used."""
    from config.environment import BadSetting
    from config.sources import load_settings

    try:
        return load_settings()
    except BadSetting as error:
        raise CannotStart(str(error)) from None


def application() -> "ASGIApp":
    """Build the ASGI application. uvicorn calls this once in each worker."""
    from api.app import build
    from api.observability.log_format import configure_logging
    from api.observability.metrics import Metrics
    from api.startup import open_services
    from api.systemd import READY, notify
    from demo.settings import in_demo_world
    from storage.observer import Observer

    settings = in_demo_world(settings_or_exit())
    configure_logging(settings)
    shared, folder = os.environ.get(SHARED), os.environ.get(METRICS_FOLDER)
    metrics = Metrics(Path(folder) if folder else None, settings.slow_statement) if settings.metrics_for else None
    observer = metrics or Observer(settings.slow_statement)
    on_ready = partial(notify, os.environ, READY)
    return build(settings, partial(open_services, shared=shared, observer=observer), metrics, on_ready)


env_option = click.Option(
    ["--env"],
    type=click.Path(),
    expose_value=False,
    callback=use_settings_file,
    help="File with settings, such as bancho.py's own .env. Default: .env in this folder, if there is one.",
)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, params=[env_option])
@click.version_option(VERSION, prog_name="apidot", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """apidot: the api. subdomain of an osu! private server.

    Settings come from the environment, then from the file, then from defaults; docs/settings.md lists them.
    """
    # Commands in other packages call this to load the settings.
    context.obj = settings_or_exit


@cli.command(params=[env_option], short_help="Serve the API; without a game server, the demo world.")
@click.option("--host", help="Address to listen on. Default: API_HOST, else 127.0.0.1.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on. Default: API_PORT, else 8000.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes. Default: API_WORKERS, else 1.")
@click.option("--reload", is_flag=True, help="Restart when code or an SQL statement changes; for development.")
@click.option("--demo", is_flag=True, help="Serve the demo world, whatever the settings say about a game server.")
def serve(host: str | None, port: int | None, workers: int | None, reload: bool, demo: bool) -> None:
    """Serve the API; without any settings of a game server, serve the demo world."""
    import asyncio

    from api.observability.log_format import configure_logging
    from api.server import check_not_game_server, check_port_free, check_reload_possible, url_of
    from api.startup import startup_report
    from api.systemd import address_of, inherited_socket
    from config.sources import DEMO
    from demo.settings import demo_folder, in_demo_world
    from domain.errors import CannotOpen

    if workers:
        # Each worker reads the settings again, and must see the number of workers.
        os.environ["API_WORKERS"] = str(workers)
    if demo:
        os.environ[DEMO] = "1"
    configured = settings_or_exit()
    settings = in_demo_world(configured)
    configure_logging(settings)
    host, port = listening_address(settings, host, port)
    try:
        if reload:
            check_reload_possible(settings.api_workers)
            # A breakpoint stops the event loop for as long as somebody looks around.
            os.environ.setdefault("WATCHDOG", "0")
        if (descriptor := inherited_socket(os.environ)) is not None:
            host, port = address_of(descriptor)
        check_not_game_server(settings, host, port)
        if descriptor is None:
            check_port_free(host, port)
        if configured.database is None:
            make_demo_world(demo_folder(configured))
        lines = asyncio.run(startup_report(settings))
    except CannotOpen as error:
        raise CannotStart(str(error)) from None
    url = url_of(host, port)
    lines = [f"address       {url}", f"docs          {url}/docs", *lines]
    click.echo(f"apidot {VERSION}" + (" with the demo world" if configured.database is None else ""))
    for line in [*lines, *(f"try           {url}{path}" for path in EXAMPLES)]:
        click.echo(f"  {line}")
    serve_until_stopped(settings, host, port, reload, descriptor)


@cli.command(short_help="Print a shell script for tab completion.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a shell script that defines the command main.py with tab completion.

    In bash and zsh: source <(.venv/bin/python main.py completion bash); in fish: … completion fish | source.
    """
    kind = get_completion_class(shell)
    assert kind is not None
    run = f"{shlex.quote(sys.executable)} {shlex.quote(str(ROOT / 'main.py'))}"
    # click's own script calls the command by its name, which finds programs but not the function main.py.
    script = re.sub(
        rf"(={shell}_complete.*) (?:\$1|main\.py)\)",
        lambda match: f"{match[1]} {run})",
        kind(cli, {}, "main.py", "_MAIN_PY_COMPLETE").source(),
    )
    script = "\n".join(line for line in script.splitlines() if "$+commands" not in line)
    click.echo(f"function main.py; {run} $argv; end" if shell == "fish" else f'main.py() {{ {run} "$@"; }}')
    click.echo(script)


def serve_until_stopped(settings: "Settings", host: str, port: int, reload: bool, descriptor: int | None) -> None:
    """Listen there, or on the socket that systemd has passed."""
    from api.server import listen
    from api.systemd import STOPPING, notify

    # uvicorn finishes requests in flight, then raises the signal again: a normal stop must exit with 0.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with TemporaryDirectory(prefix="apidot-", dir=shared_parent()) as shared:
        os.environ[SHARED] = shared
        if settings.api_workers > 1:
            Path(shared, "metrics").mkdir()
            os.environ[METRICS_FOLDER] = str(Path(shared, "metrics"))
        try:
            listen(settings, host, port, reload, descriptor)
        finally:
            notify(os.environ, STOPPING)


def listening_address(settings: "Settings", host: str | None, port: int | None) -> tuple[str, int]:
    """Return where to listen: what the options say, else the settings. Raise BadParameter."""
    from config.hosts import parse_host

    if not host:
        return settings.api_host, port or settings.api_port
    try:
        named = parse_host(host, ("http",))
    except ValueError:
        raise click.BadParameter(f"{host!r} is not a host name or an address", param_hint="--host") from None
    if port and named.port and port != named.port:
        raise click.BadParameter(f"{host!r} names another port than --port", param_hint="--host")
    return named.name, named.port or port or settings.api_port


def shared_parent() -> str | None:
    """Return where the folder that all workers share is created: in memory if possible, or None for the default.

    The workers map files of this folder, and writing to a mapped file on a full disk kills a process.
    """
    return MEMORY if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK | os.X_OK) else None


def make_demo_world(folder: Path) -> None:
    """Build the demo world in `folder`, unless it exists."""
    from demo.build import DATABASE, build
    from demo.command import Bars
    from demo.load import WorldExists

    if (folder / DATABASE).exists():
        return
    try:
        with Bars() as bars:
            build(folder, progress=bars)
    except WorldExists as error:
        raise CannotStart(f"the demo world cannot be built: {error}") from None


for command in (
    ImportedCommand(
        "demo", "demo.command", "demo", help="Build a demo world of invented players and scores.", params=[]
    ),
    ImportedCommand(
        "check",
        "checks.command",
        "check",
        help="Check the settings, and everything that they name.",
        params=[env_option],
    ),
    ImportedCommand(
        "check-replays",
        "checks.check_replays",
        "check_replays",
        help="Find replays that are missing, orphaned or damaged.",
        params=[env_option],
    ),
):
    cli.add_command(command)


if __name__ == "__main__":
    cli()
