"""Medals, which the game calls achievements."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from domain.units import Int32

RULESETS = {"osu": 0, "taiko": 1, "fruits": 2, "mania": 3}

MedalID = Annotated[Int32, Meta(description="ID of the medal.")]
MedalFile = Annotated[
    str, Meta(description="Name of the picture, which is at https://assets.ppy.sh/medals/web/{file}.png.")
]
MedalName = Annotated[str, Meta(description="Name of the medal.")]
MedalDescription = Annotated[str, Meta(description="What the medal is given for.")]
MedalMode = Annotated[
    Int32 | None,
    Meta(description="Ruleset: 0 osu!, 1 taiko, 2 catch, 3 mania; null for a medal that belongs to none of them."),
]
Achieved = Annotated[bool, Meta(description="Whether the player has the medal. Only with `all`.")]


class Achievement(msgspec.Struct, frozen=True, kw_only=True):
    """A medal. Its mode follows from the first word of `file`, such as `osu` of `osu-skill-pass-1`."""

    id: MedalID
    file: MedalFile
    name: MedalName
    desc: MedalDescription
    mode: MedalMode = None

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "mode", RULESETS.get(self.file.partition("-")[0]))


class PlayerAchievement(Achievement, frozen=True, kw_only=True):
    """A medal, and whether a player has it."""

    achieved: Achieved | UnsetType = UNSET
