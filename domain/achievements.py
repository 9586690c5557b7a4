"""Medals, which the game calls achievements."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

RULESETS = {"osu": 0, "taiko": 1, "fruits": 2, "mania": 3}

MedalFile = Annotated[
    str, Meta(description="the picture's name: https://assets.ppy.sh/medals/web/{file}.png is the picture")
]
MedalMode = Annotated[
    int | None, Meta(description="0 osu!, 1 taiko, 2 catch, 3 mania; null for a medal that is not of one of them")
]


class Achievement(msgspec.Struct, frozen=True, kw_only=True):
    """A medal. Its mode follows from the first word of `file`, such as `osu` of `osu-skill-pass-1`."""

    id: int
    file: MedalFile
    name: str
    desc: str
    mode: MedalMode = None

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "mode", RULESETS.get(self.file.partition("-")[0]))


class PlayerAchievement(Achievement, frozen=True, kw_only=True):
    """A medal, and whether a player has it."""

    achieved: bool | UnsetType = UNSET
