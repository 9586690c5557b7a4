"""The command `demo`."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import click

from demo.build import build, build_on_servers
from demo.load import WorldExists
from demo.world import Sizes


class Bars(ExitStack):
    """Shows a progress bar for each stage of a build; if the output is not a terminal, a line."""

    def __init__(self) -> None:
        super().__init__()
        self._stage = ""
        self._done = 0
        self._update: Callable[[int], None] = lambda _: None

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage != self._stage:
            self.close()
            bar = click.progressbar(length=total, label=f"{stage:16}", show_pos=True)
            self._update = self.enter_context(bar).update
            self._stage, self._done = stage, 0
        self._update(done - self._done)
        self._done = done


@click.command(short_help="Build a demo world of invented players and scores.")
@click.option("--seed", default=1, show_default=True, help="The same seed and sizes give the same world.")
@click.option(
    "--players", type=click.IntRange(20, 1_000_000), default=150, show_default=True, help="Number of players."
)
@click.option(
    "--beatmaps", type=click.IntRange(20, 1_000_000), default=400, show_default=True, help="Number of beatmaps."
)
@click.option(
    "--scores", type=click.IntRange(100, 50_000_000), default=6000, show_default=True, help="Number of scores."
)
@click.option(
    "--replays", type=click.IntRange(0, 100_000), default=120, show_default=True, help="Number of replays."
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".data/demo"),
    show_default=True,
    help="Folder for the SQLite file, the replays and the .osu files.",
)
@click.option(
    "--database", help="URL of an empty MySQL database, mysql://user:password@host/name, to use instead of SQLite."
)
@click.option("--redis", help="URL of the Redis for the ranks, redis://host/0. Requires --database.")
def demo(
    seed: int,
    players: int,
    beatmaps: int,
    scores: int,
    replays: int,
    folder: Path,
    database: str | None,
    redis: str | None,
) -> None:
    """Build a demo world of invented players, clans, beatmaps, scores and replays.

    Nothing that exists is overwritten.
    """
    if redis and not database:
        raise click.UsageError("--redis requires --database")
    if database and urlsplit(database).query:
        raise click.UsageError(
            "--database takes no options such as ?ssl=required: the connection is not encrypted"
        )
    sizes = Sizes(players=players, beatmaps=beatmaps, scores=scores, replays=replays)
    try:
        with Bars() as bars:
            if database:
                build_on_servers(database, redis, folder, seed, sizes, bars)
            else:
                build(folder, seed, sizes, bars)
    except WorldExists as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"The demo world is built; its files are in {folder}.")
