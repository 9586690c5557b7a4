"""Ruleset modes: a vanilla ruleset combined with what plays it (nothing, Relax, Autopilot)."""

from enum import IntEnum

from domain.errors import ErrorSpec

INVALID_MODE = ErrorSpec(400, "Invalid gamemode.")


class Mode(IntEnum):
    """The modes that exist; 7, 9, 10 and 11 would be Relax mania and Autopilot without standard."""

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
        """Whether boards of this mode are sorted by pp; the vanilla ones are sorted by score."""
        return self >= Mode.RX_STD


# Autopilot was 7 until February 2022, and the published documentation still lists it so.
AUTOPILOT_ALIAS = 7


def ruleset_mode(value: int, *, strict: bool = False) -> Mode:
    """The mode a client means by `value`, 0 to 11.

    7 means Autopilot unless `strict`. Raises APIError for a mode that does not exist.
    """
    if value == AUTOPILOT_ALIAS and not strict:
        return Mode.AP_STD
    try:
        return Mode(value)
    except ValueError:
        raise INVALID_MODE() from None
