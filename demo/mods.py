"""The combinations of mods that are played. NC comes with DT and PF with SD, as the osu! client sends them."""

NF, EZ, TD, HD, HR, SD, DT, RX, HT = 1, 2, 4, 8, 16, 32, 64, 128, 256
FL, SO, AP = 1 << 10, 1 << 12, 1 << 13
NC = 1 << 9 | DT
PF = 1 << 14 | SD
K4, K7, RANDOM, MIRROR = 1 << 15, 1 << 18, 1 << 21, 1 << 30

RELAX_CHOICES = (0,) * 8 + (
    HD, HD, HD, HR, HD | HR, HD | HR, DT, DT, DT, HD | DT, HD | DT, HD | DT, NC, HD | NC, HD | HR | DT,
    EZ, HT, FL, EZ | HD | DT,
)  # fmt: skip
CHOICES = (0,) * 6 + RELAX_CHOICES + (
    NF, NF, SD, SD, PF, HD | SD, NC | SD, HD | FL | HR, NF | EZ, HT | NF, HD | PF,
)  # fmt: skip
STANDARD_CHOICES = (*CHOICES, TD, TD | HD, SO, SO | NF, HR | PF, HD | DT | SD)
MANIA_CHOICES = (0,) * 8 + (HD, DT, NC, HT, MIRROR, MIRROR | DT, RANDOM, NF, NF, EZ, SD, PF, FL)
CONVERTED_MANIA_CHOICES = (*MANIA_CHOICES, K4, K7, K4 | DT, K7 | HD)


def choices(mode: int, *, converted: bool = False) -> tuple[int, ...]:
    """Return the combinations of mods played in a mode. Frequent ones are repeated."""
    if mode >= 4:
        # Relax and Autopilot cannot be combined with NF, SD and PF.
        assist = AP if mode == 8 else RX
        return tuple(mods | assist for mods in RELAX_CHOICES)
    if mode == 3:
        return CONVERTED_MANIA_CHOICES if converted else MANIA_CHOICES
    return STANDARD_CHOICES if mode == 0 else CHOICES


def rate(mods: int) -> float:
    """Return the playback rate of the song."""
    return 1.5 if mods & DT else 0.75 if mods & HT else 1.0


def score_multiplier(mods: int) -> float:
    factors = ((NF, 0.5), (EZ, 0.5), (HT, 0.3), (HD, 1.06), (HR, 1.06), (DT, 1.12), (FL, 1.12), (SO, 0.9))
    product = 1.0
    for mod, factor in factors:
        if mods & mod:
            product *= factor
    return product
