"""Game modes: a ruleset, played without help, with Relax or with Autopilot."""

from enum import IntEnum

from domain.errors import ErrorSpec

INVALID_MODE = ErrorSpec(400, "Invalid gamemode.")


class Mode(IntEnum):
    """The modes that exist. 7 would be Relax in mania; 9, 10 and 11 Autopilot outside osu!standard."""

    VN_STD = 0
    VN_TAIKO = 1
    VN_CATCH = 2
    VN_MANIA = 3
    RX_STD = 4
    RX_TAIKO = 5
    RX_CATCH = 6
    AP_STD = 8

    @property
    def pp_board(self) -> bool:
        """Whether the scores on a beatmap are sorted by pp in this mode, and not by score."""
        return self >= Mode.RX_STD

    @property
    def board_sort(self) -> str:
        """The column by which the scores on a beatmap are sorted in this mode."""
        return "pp" if self.pp_board else "score"


# The number of Autopilot until February 2022, which the published documentation still lists.
AUTOPILOT_ALIAS = 7


def ruleset_mode(value: int, *, strict: bool = False) -> Mode:
    """Return the mode with the number `value`, in which 7 means Autopilot too unless `strict`.

    Raise APIError if there is no such mode.
    """
    if value == AUTOPILOT_ALIAS and not strict:
        return Mode.AP_STD
    try:
        return Mode(value)
    except ValueError:
        raise INVALID_MODE() from None
