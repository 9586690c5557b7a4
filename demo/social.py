"""Favourites, ratings, friends and blocks, and logins."""

from collections.abc import Iterator
from random import Random

from demo.beatmaps import Beatmap
from demo.clock import NOW, OPENED, datetime_text, moment
from demo.load import Row
from demo.players import Player

STREAMS = ("stable", "stable", "stable", "cuttingedge", "beta", "tourney")
RELEASES = ("2022-10-13", "2023-03-26", "2023-08-15", "2024-01-09", "2024-08-22", "2025-04-02", "2025-11-19")


def favourite_rows(seed: int, players: list[Player], beatmaps: list[Beatmap]) -> Iterator[Row]:
    rng = Random(f"{seed}/favourites")
    for player in players:
        sets = {rng.choice(beatmaps).beatmapset.id for _ in range(_few(rng, 8))}
        for set_id in sorted(sets):
            yield player.id, set_id, rng.randrange(OPENED, NOW)


def rating_rows(seed: int, players: list[Player], beatmaps: list[Beatmap]) -> Iterator[Row]:
    rng = Random(f"{seed}/ratings")
    for player in players:
        rated = {rng.choice(beatmaps).md5 for _ in range(_few(rng, 6))}
        for md5 in sorted(rated):
            yield player.id, md5, rng.choice((1, 3, 5, 6, 7, 8, 8, 9, 9, 10, 10))


def relationship_rows(seed: int, players: list[Player]) -> Iterator[Row]:
    rng = Random(f"{seed}/relationships")
    for player in players:
        others = {rng.choice(players).id for _ in range(_few(rng, 14))} - {player.id}
        for other in sorted(others):
            yield player.id, other, "block" if rng.random() < 0.1 else "friend"


def _few(rng: Random, most: int) -> int:
    """Return a number from 0 to `most`, usually small."""
    return int(rng.random() * rng.random() * (most + 1))


def login_rows(seed: int, players: list[Player]) -> Iterator[Row]:
    """Yield rows of `ingame_logins`. The addresses are from networks for documentation (RFC 5737, RFC 3849)."""
    rng = Random(f"{seed}/logins")
    count = len(players) * 2
    for number in range(count):
        host = rng.randrange(1, 255)
        ip = f"2001:db8::{host:x}" if rng.random() < 0.2 else f"{rng.choice(('192.0.2', '198.51.100'))}.{host}"
        when = datetime_text(moment(number, count))
        release = max((release for release in RELEASES if release < when), default=RELEASES[0])
        yield number + 1, rng.choice(players).id, ip, release, rng.choice(STREAMS), when
