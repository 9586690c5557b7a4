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

# A number with more digits is greater than every bitmask, and int() refuses one with thousands.
LONGEST_BITMASK = 20


# The game sets the bit of the first mod with that of the second, which players write alone.
IMPLIED = (("DT", "NC"), ("SD", "PF"))


def acronyms(mods: int) -> str:
    """Return the acronyms of all set bits, in the order of the bits, or `NM` if none is set."""
    return "".join(acronym for acronym, bit in BITS.items() if mods & bit) or "NM"


@lru_cache(maxsize=4096)
def readable(mods: int) -> str:
    """Return the acronyms as players write them: as `acronyms` does, but NC without DT, and PF without SD."""
    for implied, mod in IMPLIED:
        if mods & BITS[mod]:
            mods &= ~BITS[implied]
    return acronyms(mods)


class ScoreFilter(msgspec.Struct, frozen=True):
    """A mode and the mods that scores must have: all bits of `mask`, or any of them if `weak`.

    With `mask` 0 all scores of the mode match.
    """

    mode: Mode
    mask: int = 0
    weak: bool = False

    def matches(self, mods: int) -> bool:
        """Return whether a score of the mode with these mods matches."""
        return mods & self.mask == self.mask or (self.weak and mods & self.mask != 0)


def score_filter(mode: int, mods: str | None, *, strict: bool = False) -> ScoreFilter | None:
    """Return the filter that the parameters `mode` and `mods` describe, or None if no score can match it.

    Raise APIError if there is no such mode.
    """
    ruleset = ruleset_mode(mode, strict=strict)
    special = (mods or "").lower()
    if special in ("", "vn"):
        return ScoreFilter(ruleset)
    if special in ("rx", "ap"):
        return _played_with(special, ruleset)
    return _filtered(ruleset, mods or "")


def _played_with(special: str, mode: Mode) -> ScoreFilter | None:
    # Old clients send `mods=rx&mode=0` for what is a mode of its own today.
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
    """Return the bits of `text`: a decimal bitmask, or acronyms of two letters. Unknown ones are ignored."""
    if text.isdecimal():
        return int(text) if len(text) <= LONGEST_BITMASK else ALL_MODS + 1
    # An odd letter at the end is left out, since the upper case of a single ligature could be two letters.
    chunks = (text[start : start + 2].upper() for start in range(0, len(text) - 1, 2))
    mask = 0
    for chunk in chunks:
        mask |= BITS.get(chunk, 0)
    return mask


def exact_bitmask(text: str) -> int | None:
    """Return the bits of `text`: a decimal bitmask, or acronyms as players write them. None if it is neither.

    NM is no mod. NC includes DT, and PF includes SD, as in the game. Of a number that is too great for a bitmask,
    return one that no score has.
    """
    if text.isdecimal():
        return min(bitmask(text), ALL_MODS + 1)
    if text.upper() == "NM":
        return 0
    found = {text[start : start + 2].upper() for start in range(0, len(text), 2)}
    if not found <= BITS.keys():
        return None
    found |= {implied for implied, mod in IMPLIED if mod in found}
    return sum(BITS[acronym] for acronym in found)
