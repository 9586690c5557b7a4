"""What a run measures, and for how long: the full run, and the quick one of five minutes."""

from pathlib import Path

import msgspec

from demo.world import Sizes

MEDIUM, LARGE = "medium", "large"
# Both worlds have the same numbers of players and beatmaps, so that only the number of scores differs.
PEOPLE = {"players": 50_000, "beatmaps": 60_000, "replays": 300, "files": 0}


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a run builds and measures. Times are in seconds."""

    worlds: dict[str, Sizes]  # the one with the most scores last
    key_cases_only: bool = False
    connections: int = 16
    peer: Path | None = None  # a checkout of bancho.py with its environment
    peer_paths: int = 60  # of each case
    warm_up: float = 0.3  # before each measurement, not counted
    window: float = 2.0
    floor_window: float = 1.0
    turns: int = 3  # measurements of hot responses, single rows and profiles, each next to its floor
    single_client_requests: int = 40  # for each kind of id, one after the other
    single_client_seconds: float = 2.0  # ends earlier than after that many requests if this time is over
    single_client_turns: int = 5  # the worlds are measured in turn
    polling_seconds: float = 30.0
    polling_clients: int = 100


FULL = Plan(
    worlds={
        MEDIUM: Sizes(**PEOPLE, scores=100_000),
        LARGE: Sizes(**PEOPLE, scores=3_000_000),
    }
)
QUICK = Plan(
    worlds={MEDIUM: Sizes(**PEOPLE, scores=100_000)},
    key_cases_only=True,
    window=0.8,
    floor_window=0.5,
    single_client_seconds=1.0,
    polling_seconds=10.0,
)
