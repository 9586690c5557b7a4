"""From a request to the parameters of its endpoint, and the types that parameters have."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta

from api.fields import Invalid, fields_of
from domain.errors import Refusal

P = TypeVar("P", bound=msgspec.Struct)

INT32 = 2**31 - 1
INT64 = 2**63 - 1
LONGEST_QUERY = 16_384
NO_PATH: Mapping[str, str] = MappingProxyType({})

PlayerID = Annotated[int, Meta(ge=3, le=INT32, description="a player's id; 1 is the bot, 2 nobody")]
PlayerName = Annotated[str, Meta(pattern=r"^[\w \[\]-]{2,15}$", description="a player's name, case aside")]
BeatmapID = Annotated[int, Meta(ge=0, le=INT32, description="a beatmap's id")]
BeatmapMD5 = Annotated[str, Meta(min_length=32, max_length=32, description="the md5 of a beatmap's file")]
RowID = Annotated[int, Meta(ge=1, le=INT32)]
ScoreID = Annotated[int, Meta(ge=0, le=INT64, description="a score's id")]
ModeNumber = Annotated[int, Meta(ge=0, le=11, description="0-3 vanilla, 4-6 Relax, 8 (or 7) Autopilot")]
ModsText = Annotated[
    str, Meta(description="a bitmask or acronyms: all of them, or any of them after a ~; or vn, rx, ap")
]
Limit = Annotated[int, Meta(ge=1, le=100, description="rows at the most")]
# As far as an offset reaches in SQL: the game server never enforced the bound it declares.
Offset = Annotated[int, Meta(ge=0, le=INT64, description="rows to leave out at the front")]
PageNumber = Annotated[int, Meta(ge=1, le=INT64, description="which page")]
PageSize = Annotated[int, Meta(ge=1, le=100, description="rows a page")]
Country = Annotated[str, Meta(min_length=2, max_length=2, description="two letters, case aside")]


class NoParams(msgspec.Struct, frozen=True):
    """An endpoint without parameters."""


class InvalidParams(Exception):
    """One or more parameters that cannot be used; `details` is the contract's list of them."""

    def __init__(self, details: list[dict[str, Any]], plain: str) -> None:
        super().__init__(plain)
        self.details = details
        self.plain = plain

    @classmethod
    def of(cls, part: str, name: str, text: str, error: Invalid) -> "InvalidParams":
        """About one parameter, in the `part` of a request where it stood."""
        return cls([_detail(part, name, text, error)], f"{name} must {error.plain}.")


class Reader(Generic[P]):
    """Reads the parameters of one endpoint."""

    def __init__(self, shape: type[P]) -> None:
        self._shape = shape
        self._fields = fields_of(shape)

    def read(self, query: bytes, path: Mapping[str, str] = NO_PATH) -> P:
        """The parameters in a query string, and those that stood in the path.

        Of a repeated one the last counts, an empty optional one counts as absent, unknown ones are ignored.
        Raises InvalidParams with every parameter that is wrong, in declared order.
        """
        if len(query) > LONGEST_QUERY:
            raise Refusal(414, f"The query string is longer than {LONGEST_QUERY} bytes.")
        given = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
        values: dict[str, Any] = {}
        details: list[dict[str, Any]] = []
        plain = ""
        for name, required, parse in self._fields:
            text = path.get(name) or given.get(name)
            if not text and not required:
                continue
            try:
                values[name] = parse(_present(text))
            except Invalid as error:
                plain = plain or f"{name} must {error.plain}."
                details.append(_detail("path" if name in path else "query", name, text, error))
        if details:
            raise InvalidParams(details, plain)
        return self._shape(**values)


def _present(text: str | None) -> str:
    if text is None:
        raise Invalid("missing", "Field required", "be given")
    return text


def _detail(part: str, name: str, text: str | None, error: Invalid) -> dict[str, Any]:
    detail = {"type": error.kind, "loc": [part, name], "msg": error.msg, "input": text}
    return detail | {"ctx": error.ctx} if error.ctx else detail
