"""The parameters of the osu! API v1, and reading them as leniently as the official API does."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from api.request.fields import Invalid, Repeated
from api.request.osu_v1 import parameters
from api.request.params import INT64, MAX_QUERY_LENGTH, MODES, QUERY_TOO_LONG, P, Reader
from domain.errors import APIError
from domain.modes import Mode, ruleset_mode

# Longer than any name or MD5 in the database.
MAX_TEXT = 64

UserText = Annotated[
    str,
    Meta(
        max_length=MAX_TEXT,
        description="A player's ID or name. Case does not matter, and `_` equals a space. Digits are an ID, or a"
        " name if no player has that ID.",
    ),
]
UserType = Annotated[
    Literal["id", "string"],
    Meta(description="Whether `u` is an ID (`id`) or a name (`string`)."),
]
ModeNumber = Annotated[
    int,
    Meta(
        ge=0,
        le=11,
        description=f"{MODES}.",
        extra_json_schema={"enum": [*Mode]},
    ),
]
Relax = Annotated[
    int,
    Meta(ge=0, le=1, description="1 selects the mode with Relax, as on Ripple. It is ignored in mania."),
]
RelaxMode = Annotated[
    int,
    Meta(
        ge=0,
        le=2,
        description="1 selects the mode with Relax (ignored in mania), 2 osu! with Autopilot, as on Akatsuki.",
    ),
]
ExactMods = Annotated[
    str,
    Meta(
        max_length=MAX_TEXT,
        description="Mods of the scores, as a bitmask (`72`) or as acronyms (`HDDT`). Only scores with exactly"
        " these are listed, with `0` or `NM` those without mods. Anything else counts as absent.",
    ),
]
BeatmapNumber = Annotated[int, Meta(ge=0, le=INT64, description="Beatmap ID.")]


class LenientReader(Reader[P]):
    """Reads parameters. What cannot be read counts as absent, and what is out of bounds as the nearest bound."""

    def read(self, query: bytes, path: Any) -> P:
        """Return the parameters in a query string. Raise APIError if it is too long."""
        if len(query) > MAX_QUERY_LENGTH:
            raise QUERY_TOO_LONG()
        given = parameters(query)
        values: dict[str, Any] = {}
        for name, required, parse in self._fields:
            assert not isinstance(parse, Repeated)
            text = given.get(name, "")
            if text or required:
                try:
                    values[name] = parse(text)
                except Invalid as error:
                    nearest = _nearest(text, error)
                    if nearest is not None:
                        values[name] = nearest
        return self._params(**values)


def _nearest(text: str, error: Invalid) -> str | int | None:
    """Return the value nearest to `text` that is within the bounds, None if `text` cannot be read."""
    limits = error.ctx
    if "max_length" in limits:
        return text[: limits["max_length"]]
    return limits.get("ge", limits.get("le"))


class ModeParams(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters that name a mode, in the words of the official API, of Ripple and of Akatsuki."""

    m: ModeNumber = 0
    relax: Relax = 0
    rx: RelaxMode = 0

    def mode(self, *, strict: bool) -> Mode:
        """Return the mode, osu! if there is no such mode. `strict` is that of `ruleset_mode`."""
        try:
            mode = ruleset_mode(self.m, strict=strict)
        except APIError:
            mode = Mode.VN_STD
        if self.rx == 2:
            return Mode.AP_STD
        if (self.relax or self.rx) and mode < Mode.VN_MANIA:
            return Mode(mode + Mode.RX_STD)
        return mode


class UserParams(ModeParams, frozen=True, kw_only=True):
    """Parameters that name a player and a mode."""

    u: UserText | None = None
    type: UserType | None = None
