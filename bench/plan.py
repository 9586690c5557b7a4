"""How much is measured, and for how long: all of it, or what five minutes allow."""

import msgspec

from demo.world import Sizes

MEDIUM, LARGE = "medium", "large"
# Players and beatmaps are as many in both worlds, so that nothing grows but the scores.
PEOPLE = {"players": 50_000, "beatmaps": 60_000, "replays": 300, "files": 0}


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is built and measured; times are in seconds."""

    worlds: dict[str, Sizes]  # the one with more scores last
    key_questions_only: bool = False
    connections: int = 16
    warm: float = 0.3  # not counted, before each measurement
    window: float = 2.0
    floor_window: float = 1.0
    turns: int = 3  # in which hot answers, single rows and profiles are measured, each beside its floor
    alone_requests: int = 40  # of a single client, one after the other
    alone_seconds: float = 2.0  # or as many as it gets done meanwhile
    alone_turns: int = 5  # in which the worlds are asked, one after the other
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
    key_questions_only=True,
    window=0.8,
    floor_window=0.5,
    alone_seconds=1.0,
    polling_seconds=10.0,
)
