"""Reading the parameters of a request, and the types that parameters have.

The descriptions of these types are the parameters' descriptions in /openapi.json.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta

from api.request.fields import Invalid, Repeated, parser
from domain.errors import ErrorSpec

P = TypeVar("P", bound=msgspec.Struct)

INT32 = 2**31 - 1
INT64 = 2**63 - 1
MAX_QUERY_LENGTH = 16_384
QUERY_TOO_LONG = ErrorSpec(414, f"The query string is longer than {MAX_QUERY_LENGTH} bytes.")

PlayerID = Annotated[int, Meta(ge=3, le=INT32, description="Player ID (3 or higher).")]
PlayerName = Annotated[
    str,
    Meta(
        pattern=r"^[\w \[\]-]{2,15}$",
        description="Player name (2 to 15 characters). Case does not matter, and `_` equals a space.",
    ),
]
BeatmapID = Annotated[int, Meta(ge=0, le=INT32, description="Beatmap ID.")]
BeatmapMD5 = Annotated[
    str, Meta(min_length=32, max_length=32, description="MD5 of the beatmap's `.osu` file, in hexadecimal.")
]
MAX_BATCH = 50
PlayerIDs = Annotated[
    tuple[PlayerID, ...], Meta(max_length=MAX_BATCH, description="Player ID. May be given up to 50 times.")
]
BeatmapIDs = Annotated[
    tuple[BeatmapID, ...], Meta(max_length=MAX_BATCH, description="Beatmap ID. May be given up to 50 times.")
]
BeatmapMD5s = Annotated[
    tuple[BeatmapMD5, ...],
    Meta(
        max_length=MAX_BATCH,
        description="MD5 of the beatmap's `.osu` file, in hexadecimal. May be given up to 50 times.",
    ),
]
BeatmapText = Annotated[
    str,
    Meta(
        min_length=2,
        max_length=64,
        description="Words, of 2 to 64 characters in all. A beatmap must have each of them in its artist, title, "
        "creator or difficulty name, as a part of it. A number is also compared with the IDs of the "
        "beatmap and its set. Case, accents and the width of letters do not matter.",
    ),
]
BeatmapSetID = Annotated[int, Meta(ge=0, le=INT32, description="Beatmap set ID.")]
ClanID = Annotated[int, Meta(ge=1, le=INT32, description="Clan ID.")]
PoolID = Annotated[int, Meta(ge=1, le=INT32, description="Map pool ID.")]
ScoreID = Annotated[int, Meta(ge=0, le=INT64, description="Score ID.")]
ScoreIDs = Annotated[
    tuple[ScoreID, ...], Meta(max_length=MAX_BATCH, description="Score ID. May be given up to 50 times.")
]
MODES = (
    "Game mode: 0 osu!, 1 taiko, 2 catch, 3 mania; 4 osu!, 5 taiko and 6 catch with Relax; 8 osu! with Autopilot"
)
# 9 to 11 are refused after validation, with the message that clients know.
ModeNumber = Annotated[
    int,
    Meta(
        ge=0,
        le=11,
        description=f"{MODES}, for which 7 is accepted too.",
        extra_json_schema={"not": {"type": "integer", "enum": [9, 10, 11]}},
    ),
]
PlayMode = Annotated[
    int,
    Meta(ge=0, le=11, description="Game mode. Only its ruleset counts, the remainder when it is divided by 4."),
]
RulesetMode = Annotated[
    int,
    Meta(
        ge=0,
        le=11,
        description=f"{MODES}.",
        extra_json_schema={"not": {"type": "integer", "enum": [7, 9, 10, 11]}},
    ),
]
ModsText = Annotated[
    str,
    Meta(
        description="Mods of the scores, as a bitmask (`72`) or as acronyms (`HDDT`): scores with all of them or, "
        "with a `~` in front, with any of them. Or else `vn`, which is no filter, `rx` or `ap`, which turn a "
        "vanilla `mode` into its mode with Relax or Autopilot."
    ),
]
Limit = Annotated[int, Meta(ge=1, le=100, description="Maximum number of rows (1 to 100).")]
IncludeLoved = Annotated[
    bool,
    Meta(description="With `scope=best` or `scope=first`: whether scores on loved beatmaps are included."),
]
IncludeFailed = Annotated[bool, Meta(description="In lists of recent scores: whether failed scores are included.")]
AllMedals = Annotated[
    bool, Meta(description="Whether medals that the player does not have are listed too, each with `achieved`.")
]
WithReplay = Annotated[bool, Meta(description="Whether each score says if its replay is stored (`has_replay`).")]
WithWeight = Annotated[
    bool, Meta(description="With `scope=best`: whether each score has `weight` and `weighted_pp`.")
]
SortColumn = Annotated[
    Literal["tscore", "rscore", "pp", "acc", "plays", "playtime"],
    Meta(
        description="What the players are ordered by, highest first: total score, ranked score, pp, accuracy, "
        "number of plays or seconds played."
    ),
]
ClanSortColumn = Annotated[
    Literal["pp", "rscore", "acc", "plays"],
    Meta(
        description="What the clans are ordered by, highest first: the pp, the ranked score or the plays of their "
        "members together, or the members' average accuracy."
    ),
]
ScoresScope = Annotated[Literal["recent", "best"], Meta(description="The best scores or the most recent ones.")]
# The scopes for which every game server has the columns, and those that have an SQL statement of their own.
StockScope = Literal["recent", "best", "first"]
ListedScope = Literal["recent", "best", "pinned"]
PlayerScoresScope = Annotated[
    Literal["recent", "best", "first", "pinned"],
    Meta(
        description="The most recent scores, the best ones by pp, or the first places: those ahead of all others "
        "on their beatmaps. `pinned` is known on game servers whose scores have a column `pinned`."
    ),
]
# The game server declares 2**31 - 1 without enforcing it, so the bound is what fits into SQL.
Offset = Annotated[int, Meta(ge=0, le=INT64, description="Number of rows to skip.")]
AroundPlayer = Annotated[
    int,
    Meta(
        ge=3,
        le=INT32,
        description="Player ID: the page of `limit` players on which this player is, instead of one at `offset`.",
    ),
]
# Only these are kept, see storage/cache/top_plays.py.
TopOffset = Annotated[int, Meta(ge=0, le=1000, description="Number of rows to skip (0 to 1000).")]
PageNumber = Annotated[int, Meta(ge=1, le=INT64, description="Page number, from 1.")]
PageSize = Annotated[int, Meta(ge=1, le=100, description="Rows per page (1 to 100).")]
# The 32 bits of a signed or an unsigned number.
ModsNumber = Annotated[
    int,
    Meta(ge=-(2**31), le=2**32 - 1, description="Mods as a bitmask. Nightcore (512) implies DoubleTime (64)."),
]
Country = Annotated[
    str, Meta(min_length=2, max_length=2, description="Two-letter country code. Case does not matter.")
]


class NoParams(msgspec.Struct, frozen=True):
    """The parameters of an endpoint that has none."""


class Fault(NamedTuple):
    """An invalid value. `loc` is `query` or `path`, the parameter's name and, if it is repeated, the index."""

    loc: list[str | int]
    text: str | None
    error: Invalid

    @property
    def detail(self) -> dict[str, Any]:
        """The fault in the form that clients know, which is pydantic's."""
        detail = {"type": self.error.kind, "loc": self.loc, "msg": self.error.msg, "input": self.text}
        return detail | {"ctx": self.error.ctx} if self.error.ctx else detail


class InvalidParams(Exception):
    """One or more invalid parameters: `details` describes each of them, `plain` is a sentence about the first."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        first = faults[0]
        self.plain = f"{first.loc[1]} must {first.error.plain}."
        self.details = [fault.detail for fault in faults]
        super().__init__(self.plain)


class Unserved(InvalidParams):
    """A value that is not served with this game server's database, but may be by the game server itself."""

    @property
    def value(self) -> tuple[str, str]:
        """The name of the parameter, and the value."""
        fault = self.faults[0]
        return str(fault.loc[1]), fault.text or ""


def parse_param(name: str, text: str, hint: object) -> Any:
    """Parse a query parameter that is only valid beside another one, as a parameter of type `hint`.

    Raise InvalidParams.
    """
    parse = parser(hint)
    assert not isinstance(parse, Repeated)
    try:
        return parse(text)
    except Invalid as error:
        raise InvalidParams([Fault(["query", name], text, error)]) from None


def unserved(name: str, value: str, served: object) -> Unserved:
    """Return the error for a value of a parameter that the type `served` does not have."""
    try:
        parse_param(name, value, served)
    except InvalidParams as error:
        return Unserved(error.faults)
    raise ValueError(f"{value} is served")


class Reader(Generic[P]):
    """Reads the parameters of one endpoint."""

    def __init__(self, params: type[P]) -> None:
        self._params = params
        self._fields = [
            (field.encode_name, field.required, parser(field.type)) for field in msgspec.structs.fields(params)
        ]

    @property
    def names(self) -> set[str]:
        """The names of the parameters, those in the path included."""
        return {name for name, _, _ in self._fields}

    def accepts(self, name: str, text: str) -> bool:
        """Return whether `text` is a valid value of the parameter `name`."""
        for field, _, parse in self._fields:
            if field == name:
                try:
                    (parse.parse if isinstance(parse, Repeated) else parse)(text)
                except Invalid:
                    return False
                return True
        raise KeyError(name)

    def read(self, query: bytes, path: Mapping[str, str]) -> P:
        """Return the parameters in a query string and those in the path.

        The last value of a repeated parameter counts, unless it takes several. An empty optional parameter
        counts as absent, and unknown parameters are ignored. Raise InvalidParams with every invalid parameter,
        in declared order, or APIError if the query is too long.
        """
        if len(query) > MAX_QUERY_LENGTH:
            raise QUERY_TOO_LONG()
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
        given = dict(pairs)
        values: dict[str, Any] = {}
        faults: list[Fault] = []
        for name, required, parse in self._fields:
            text = path.get(name) or given.get(name)
            if not text and not required:
                continue
            try:
                if text is None:
                    raise Invalid("missing", "Field required", "be given")
                if isinstance(parse, Repeated):
                    texts = [value for key, value in pairs if key == name and (value or required)]
                    values[name] = tuple(_parse_each(name, texts, parse, faults))
                else:
                    values[name] = parse(text)
            except Invalid as error:
                faults.append(Fault(["path" if name in path else "query", name], text, error))
        if faults:
            raise InvalidParams(faults)
        return self._params(**values)


def _parse_each(name: str, texts: list[str], repeated: Repeated, faults: list[Fault]) -> Iterator[Any]:
    """Yield the values of a repeated parameter; append what is invalid to `faults` instead."""
    limit = repeated.max_values
    if len(texts) > limit:
        message = f"List should have at most {limit} items after validation, not {len(texts)}"
        bounds = {"field_type": "List", "max_length": limit, "actual_length": len(texts)}
        raise Invalid("too_long", message, f"be given at most {limit} times", **bounds)
    for index, text in enumerate(texts):
        try:
            yield repeated.parse(text)
        except Invalid as error:
            faults.append(Fault(["query", name, index], text, error))
