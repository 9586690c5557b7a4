"""Mods: the bitmask, its letters, and the grammar of the `mods` parameter."""

from functools import lru_cache

import msgspec

from domain.modes import Mode, ruleset_mode

# Index = bit. https://osu.ppy.sh/wiki/en/Client/File_formats/osr_%28file_format%29#mods
ACRONYMS = (
    *("NF", "EZ", "TD", "HD", "HR", "SD", "DT", "RX", "HT", "NC", "FL", "AU", "SO", "AP", "PF", "4K"),
    *("5K", "6K", "7K", "8K", "FI", "RN", "CN", "TP", "9K", "CO", "1K", "3K", "2K", "V2", "MR"),
)
BITS = {acronym: 1 << bit for bit, acronym in enumerate(ACRONYMS)}
ALL_MODS = (1 << len(ACRONYMS)) - 1

# More digits than this is beyond every bitmask, and int() refuses thousands of them.
LONGEST_BITMASK = 20


@lru_cache(maxsize=4096)
def readable(mods: int) -> str:
    """The letters of every set bit, in bit order; `NM` for none."""
    return "".join(acronym for acronym, bit in BITS.items() if mods & bit) or "NM"


class ScoreFilter(msgspec.Struct, frozen=True):
    """Which scores a list is drawn from.

    With `mask` 0 there is no filter. Else a score must carry all of its bits, or, when `weak`, any of them.
    """

    mode: Mode
    mask: int = 0
    weak: bool = False


def score_filter(mode: int, mods: str | None, *, strict: bool = False) -> ScoreFilter | None:
    """The score_filter that the `mode` and `mods` parameters name; None when no score can be on it.

    Raises APIError for a mode that does not exist.
    """
    ruleset = ruleset_mode(mode, strict=strict)
    special = (mods or "").lower()
    if special in ("", "vn"):
        return ScoreFilter(ruleset)
    if special in ("rx", "ap"):
        return _played_with(special, ruleset)
    return _filtered(ruleset, mods or "")


def _played_with(special: str, mode: Mode) -> ScoreFilter | None:
    """Old clients say `mods=rx&mode=0` for what is a mode of its own today."""
    if special == "rx" and mode <= Mode.RX_CATCH and mode != Mode.VN_MANIA:
        return ScoreFilter(Mode(mode % 4 + Mode.RX_STD))
    if special == "ap" and mode in (Mode.VN_STD, Mode.AP_STD):
        return ScoreFilter(Mode.AP_STD)
    return None


def _filtered(mode: Mode, mods: str) -> ScoreFilter | None:
    weak = mods.startswith("~")
    mask = bitmask(mods[1:] if mods[0] in "~=" else mods)
    if weak:
        mask &= ALL_MODS
        return ScoreFilter(mode, mask, weak=True) if mask else None
    return ScoreFilter(mode, mask) if mask <= ALL_MODS else None


def bitmask(text: str) -> int:
    """The bits that `text` names: a decimal bitmask, or acronyms of two letters; unknown ones count nothing."""
    if text.isdecimal():
        return int(text) if len(text) <= LONGEST_BITMASK else ALL_MODS + 1
    # Without an odd letter at the end: the upper case of a single ligature could be two letters.
    chunks = (text[start : start + 2].upper() for start in range(0, len(text) - 1, 2))
    mask = 0
    for chunk in chunks:
        mask |= BITS.get(chunk, 0)
    return mask
