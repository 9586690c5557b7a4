"""From a request to the parameters of its endpoint, and the types that parameters have."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta

from api.request.fields import Invalid, Many, fields_of
from domain.errors import ErrorSpec

P = TypeVar("P", bound=msgspec.Struct)

INT32 = 2**31 - 1
INT64 = 2**63 - 1
LONGEST_QUERY = 16_384
LONG_QUERY = ErrorSpec(414, f"The query string is longer than {LONGEST_QUERY} bytes.")
NO_PATH: Mapping[str, str] = MappingProxyType({})

PlayerID = Annotated[int, Meta(ge=3, le=INT32, description="a player's id; 1 is the bot, 2 nobody")]
PlayerName = Annotated[str, Meta(pattern=r"^[\w \[\]-]{2,15}$", description="a player's name, case aside")]
BeatmapID = Annotated[int, Meta(ge=0, le=INT32, description="a beatmap's id")]
BeatmapMD5 = Annotated[str, Meta(min_length=32, max_length=32, description="the md5 of a beatmap's file")]
RowID = Annotated[int, Meta(ge=1, le=INT32, description="its id")]
ScoreID = Annotated[int, Meta(ge=0, le=INT64, description="a score's id")]
# Another mode up to 11 is refused too, in the words of the contract.
ModeNumber = Annotated[
    int,
    Meta(
        ge=0,
        le=11,
        description="0-3 vanilla, 4-6 Relax, 8 (or 7) Autopilot",
        extra_json_schema={"not": {"enum": [9, 10, 11]}},
    ),
]
# Of a play that is only imagined, Relax and Autopilot make no difference.
PlayMode = Annotated[int, Meta(ge=0, le=11, description="a mode, of which the ruleset counts")]
RulesetMode = Annotated[
    int,
    Meta(
        ge=0,
        le=11,
        description="0-3 vanilla, 4-6 Relax, 8 Autopilot",
        extra_json_schema={"not": {"enum": [7, 9, 10, 11]}},
    ),
]
ModsText = Annotated[
    str, Meta(description="a bitmask or acronyms: all of them, or any of them after a ~; or vn, rx, ap")
]
Limit = Annotated[int, Meta(ge=1, le=100, description="rows at the most")]
IncludeLoved = Annotated[bool, Meta(description="with those on loved beatmaps; for scope best")]
IncludeFailed = Annotated[bool, Meta(description="with failed ones; for scope recent")]
SortColumn = Annotated[
    Literal["tscore", "rscore", "pp", "acc", "plays", "playtime"], Meta(description="what to sort by")
]
ScoresScope = Annotated[Literal["recent", "best"], Meta(description="the best ones, or the last ones by time")]
# As far as an offset reaches in SQL: the game server never enforced the bound it declares.
Offset = Annotated[int, Meta(ge=0, le=INT64, description="rows to leave out at the front")]
PageNumber = Annotated[int, Meta(ge=1, le=INT64, description="which page")]
PageSize = Annotated[int, Meta(ge=1, le=100, description="rows a page")]
# Whatever the bits of an unsigned or a signed number say.
ModsNumber = Annotated[int, Meta(ge=-(2**31), le=2**32 - 1, description="a bitmask; Nightcore implies DoubleTime")]
Hits = Annotated[int, Meta(ge=0, le=INT32, description="how many of these hits; 0 for those not given")]
Accuracies = Annotated[tuple[float, ...], Meta(max_length=100, description="accuracies in percent, repeated")]
BeatmapIDs = Annotated[tuple[BeatmapID, ...], Meta(max_length=50, description="ids, repeated")]
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
    def of(cls, *faults: "Fault") -> "InvalidParams":
        """About some values; the first is told in plain words too."""
        first = faults[0]
        return cls([_detail(each) for each in faults], f"{first.at[1]} must {first.error.plain}.")


class Reader(Generic[P]):
    """Reads the parameters of one endpoint."""

    def __init__(self, shape: type[P]) -> None:
        self._shape = shape
        self._fields = fields_of(shape)

    def read(self, query: bytes, path: Mapping[str, str] = NO_PATH) -> P:
        """The parameters in a query string, and those that stood in the path.

        Of a repeated one that takes a single value the last counts, an empty optional one counts as absent,
        unknown ones are ignored.
        Raises InvalidParams with every parameter that is wrong, in declared order.
        """
        if len(query) > LONGEST_QUERY:
            raise LONG_QUERY()
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
        given = dict(pairs)
        values: dict[str, Any] = {}
        faults: list[Fault] = []
        for name, required, parse in self._fields:
            text = path.get(name) or given.get(name)
            if not text and not required:
                continue
            try:
                if isinstance(parse, Many):
                    texts = [value for key, value in pairs if key == name and (value or required)]
                    values[name] = tuple(_each(name, texts, parse, faults))
                else:
                    values[name] = parse(_present(text))
            except Invalid as error:
                faults.append(Fault(["path" if name in path else "query", name], text, error))
        if faults:
            raise InvalidParams.of(*faults)
        return self._shape(**values)


class Fault(NamedTuple):
    """A text that is wrong: in which part of the request, of which parameter, at which place of several."""

    at: list[str | int]
    text: str | None
    error: Invalid


def _present(text: str | None) -> str:
    if text is None:
        raise Invalid("missing", "Field required", "be given")
    return text


def _each(name: str, texts: list[str], many: Many, faults: list[Fault]) -> Iterator[Any]:
    """The values of a repeated parameter; those that are wrong are added to `faults` instead."""
    _present(texts[0] if texts else None)
    if len(texts) > many.most:
        message = f"List should have at most {many.most} items after validation, not {len(texts)}"
        bounds = {"field_type": "List", "max_length": many.most, "actual_length": len(texts)}
        raise Invalid("too_long", message, f"be given at most {many.most} times", **bounds)
    for index, text in enumerate(texts):
        try:
            yield many.parse(text)
        except Invalid as error:
            faults.append(Fault(["query", name, index], text, error))


def _detail(fault: Fault) -> dict[str, Any]:
    error = fault.error
    detail = {"type": error.kind, "loc": fault.at, "msg": error.msg, "input": fault.text}
    return detail | {"ctx": error.ctx} if error.ctx else detail
