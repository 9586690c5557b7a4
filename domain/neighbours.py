"""What this service leans on, and how each of them is found."""

from typing import Literal

import msgspec

# `off` is what the operator has not set up, `unknown` what has not been found out yet.
State = Literal["up", "down", "off", "unknown"]


# What is different, for everybody, while one of them is not up.
MEANWHILE = {
    "database": "what is kept there is answered with 503",
    "redis": "ranks are counted in the database",
    "game_server": "nobody can be seen to be online",
    "replays": "there are no replays",
    "pp_engine": "pp is not calculated",
}


class Neighbour(msgspec.Struct, frozen=True):
    """How a neighbour is found; `words` are for the log alone: they may name addresses and reasons."""

    state: State
    words: str
