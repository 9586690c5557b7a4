"""The players, their skill and their habits."""

from itertools import accumulate, islice
from random import Random

import msgspec

from demo.names import player_names

BOT_ID = 1
FIRST_ID = 3  # 2 is reserved
UNRESTRICTED, VERIFIED, SUPPORTER, PREMIUM = 1, 2, 16, 32
NORMAL = UNRESTRICTED | VERIFIED
EVERYTHING = 31927  # the privileges that the game server gives the first player
STAFF = (NORMAL | 2048, NORMAL | SUPPORTER | 4096, NORMAL | PREMIUM | 4096 | 8192, NORMAL | 128 | 1024)
COUNTRIES = ("us",) * 5 + ("jp", "de", "ru", "fr") * 3 + ("kr", "gb", "pl", "br") * 2 + (
    "ca", "au", "se", "fi", "id", "cn", "tw", "mx", "ar", "es", "it", "nl", "ua", "no", "cl", "xx",
)  # fmt: skip


class Player(msgspec.Struct, frozen=True):
    """A player. `skill` is 0-1, `ruleset` the one played most; `relax` and `autopilot` are shares of the plays."""

    id: int
    name: str
    priv: int
    country: str
    skill: float
    ruleset: int
    relax: float
    autopilot: float


def make_players(seed: int, count: int) -> list[Player]:
    rng = Random(f"{seed}/players")
    return [_player(rng, number, name) for number, name in enumerate(islice(player_names(rng), count))]


def _player(rng: Random, number: int, name: str) -> Player:
    relax, autopilot = rng.choice(((0.02, 0.0), (0.05, 0.02), (0.1, 0.0), (0.7, 0.1), (0.3, 0.3)))
    return Player(
        id=FIRST_ID + number,
        name=name,
        priv=_priv(number),
        country=rng.choice(COUNTRIES),
        skill=rng.triangular(0.15, 0.95, 0.45),
        ruleset=rng.choice((0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 3, 3)),
        relax=relax,
        autopilot=autopilot,
    )


def _priv(number: int) -> int:
    if number == 0:
        return EVERYTHING
    if number % 29 == 6:
        return VERIFIED
    if number % 31 == 9:
        return UNRESTRICTED
    if number % 37 == 11:
        return STAFF[number // 37 % len(STAFF)]
    return NORMAL | (SUPPORTER if number % 13 == 1 else 0)


def activity(seed: int, players: list[Player]) -> list[float]:
    """Return the cumulative weights with which players are chosen: a few play very much, some not at all."""
    order = list(range(len(players)))
    Random(f"{seed}/activity").shuffle(order)
    weights = [0.0] * len(players)
    for rank, number in enumerate(order):
        idle = rank % 10 == 9 and number > 1  # never the first two, whose API keys are known
        if not idle and players[number].priv != UNRESTRICTED:
            weights[number] = 1 / (rank + 3 + len(players) / 850)
    return list(accumulate(weights))
