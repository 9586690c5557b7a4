"""How long a page of scores takes, the first one and one deep in the list: python -m bench.pages [--scores N]

A private MariaDB is filled with a world at scale, the service is started on it, and each path is asked in turn.
What is told is the median in milliseconds, and its ratio to the first page's.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import click
import httpx2

from demo.build import build_on_servers
from demo.command import Bars
from demo.world import Sizes
from tests import servers
from tests.processes import free_port, serve

ROOT = Path(__file__).resolve().parent.parent
PAGE_SIZE = 100
ROUNDS = 100
# As much memory as a game server's database is given, so that pages are read from it.
OPTIONS = ("--innodb-buffer-pool-size=2G", "--innodb-log-file-size=512M")


def paths(scores: int) -> dict[str, str]:
    """What is asked, by what it is: pages at the front, at a third and at two thirds of the list."""
    third = scores // 3
    return {
        "first page": f"/v2/scores?page_size={PAGE_SIZE}",
        "first page of mode 0": f"/v2/scores?mode=0&page_size={PAGE_SIZE}",
        f"offset {third}": _at(third, ""),
        f"offset {2 * third}": _at(2 * third, ""),
        f"offset {third} of mode 0": _at(third, "mode=0&"),
    }


def _at(offset: int, filters: str) -> str:
    return f"/v2/scores?{filters}page_size={PAGE_SIZE}&page={offset // PAGE_SIZE + 1}"


def medians(client: httpx2.Client, asked: dict[str, str]) -> dict[str, float]:
    """The median of each path, in milliseconds; the paths take turns, so that noise meets all of them."""
    for path in asked.values():
        # Counts the list, once a minute, and is not what is measured.
        assert len(client.get(path).raise_for_status().json()["data"]) == PAGE_SIZE, path
    taken: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(ROUNDS):
        for name, path in asked.items():
            start = time.perf_counter()
            client.get(path).raise_for_status()
            taken[name].append((time.perf_counter() - start) * 1000)
    return {name: statistics.median(each) for name, each in taken.items()}


@click.command()
@click.option(
    "--scores", type=click.IntRange(10_000, 50_000_000), default=3_000_000, show_default=True, help="How many."
)
def main(scores: int) -> None:
    """Compare a deep page of scores with the first one."""
    sizes = Sizes(
        players=max(100, scores // 60), beatmaps=max(100, scores // 50), scores=scores, replays=0, files=0
    )
    with (
        servers.mariadb(private=True, options=OPTIONS) as database,
        tempfile.TemporaryDirectory(prefix="apidot-") as folder,
    ):
        url = database.database("bench")
        with Bars() as bars:
            build_on_servers(url, None, Path(folder, "data"), sizes=sizes, progress=bars)
        port = free_port()
        env_file = Path(folder, "settings")
        env_file.touch()
        command = [sys.executable, str(ROOT / "main.py"), "--env", str(env_file), "serve", "--port", str(port)]
        with (
            serve(command, port, {"DATABASE_URL": url, "LOG_LEVEL": "warning"}),
            httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client,
        ):
            found = medians(client, paths(scores))
    first = found["first page"]
    for name, median in found.items():
        click.echo(f"{name:28} {median:8.2f} ms {median / first:6.2f} x")


if __name__ == "__main__":
    main()
