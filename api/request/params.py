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
from domain.modes import Mode
from domain.units import MODE_CODES

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
        description="Words to search for (2 to 64 characters together). Each of them must occur in the artist,"
        " title, creator or difficulty name of a beatmap, also as part of a word. A number also finds the beatmap"
        " or the set with this ID. Case, accents and the width of letters do not matter.",
    ),
]
BeatmapSetID = Annotated[int, Meta(ge=0, le=INT32, description="Beatmap set ID.")]
ClanID = Annotated[int, Meta(ge=1, le=INT32, description="Clan ID.")]
PoolID = Annotated[int, Meta(ge=1, le=INT32, description="Map pool ID.")]
ScoreID = Annotated[int, Meta(ge=0, le=INT64, description="Score ID.")]
ScoreIDs = Annotated[
    tuple[ScoreID, ...], Meta(max_length=MAX_BATCH, description="Score ID. May be given up to 50 times.")
]
MODES = f"Game mode: {MODE_CODES}"
# 9 to 11 are refused after validation, with the message that clients know. The documentation leaves them out.
ModeNumber = Annotated[
    int,
    Meta(
        ge=0,
        le=11,
        description=f"{MODES}. 7 is accepted for 8, unless the operator forbids it.",
        extra_json_schema={"enum": [*range(9)]},
    ),
]
PlayMode = Annotated[
    int,
    Meta(
        ge=0,
        le=11,
        description="Game mode. Only its ruleset counts: 0, 4 and 8 are osu!, 1, 5 and 9 taiko, 2, 6 and 10"
        " catch, 3, 7 and 11 mania. Relax (128) and Autopilot (8192) are given as `mods`.",
    ),
]
RulesetMode = Annotated[int, Meta(ge=0, le=11, description=f"{MODES}.", extra_json_schema={"enum": [*Mode]})]
ModsText = Annotated[
    str,
    Meta(
        description="Mods that the scores must have, as a bitmask (`72`) or as acronyms (`HDDT`): all of them or,"
        " after a `~`, at least one of them (`~HDDT`). Three other values concern the mode: `rx` and `ap` select"
        " the one with Relax or Autopilot that belongs to `mode`, and `vn` changes nothing."
    ),
]
Limit = Annotated[int, Meta(ge=1, le=100, description="Maximum number of rows (1 to 100).")]
IncludeLoved = Annotated[
    bool,
    Meta(description="Whether scores on loved beatmaps are included. Only with `scope=best` and `scope=first`."),
]
IncludeFailed = Annotated[bool, Meta(description="Whether lists of recent scores include failed ones.")]
AllMedals = Annotated[
    bool,
    Meta(description="Whether all medals are listed, each with `achieved`, instead of those that the player has."),
]
WithReplay = Annotated[bool, Meta(description="Whether each score has the field `has_replay`.")]
WithWeight = Annotated[
    bool, Meta(description="Whether each score has the fields `weight` and `weighted_pp`. Only with `scope=best`.")
]
SortColumn = Annotated[
    Literal["tscore", "rscore", "pp", "acc", "plays", "playtime"],
    Meta(
        description="What the players are ordered by, highest first: total score, ranked score, pp, accuracy,"
        " number of plays or seconds played."
    ),
]
ClanSortColumn = Annotated[
    Literal["pp", "rscore", "acc", "plays"],
    Meta(
        description="What the clans are ordered by, highest first: the pp, the ranked score or the plays of their"
        " members together, or the members' average accuracy."
    ),
]
ScoresScope = Annotated[
    Literal["recent", "best"], Meta(description="Order of the scores: the best one or the most recent one first.")
]
# StockScope: every game server supports these. ListedScope: each of these has an SQL statement of its own.
StockScope = Literal["recent", "best", "first"]
ListedScope = Literal["recent", "best", "pinned"]
PlayerScoresScope = Annotated[
    Literal["recent", "best", "first", "pinned"],
    Meta(
        description="`best`: the best scores by pp. `recent`: the most recent ones. `first`: those that are first"
        " on the leaderboard of their beatmap. `pinned`: those that the player has pinned, which only some game"
        " servers have."
    ),
]
# The game server declares 2**31 - 1 without enforcing it, so the bound is what fits into SQL.
Offset = Annotated[int, Meta(ge=0, le=INT64, description="Number of rows to skip.")]
AroundPlayer = Annotated[
    int,
    Meta(
        ge=3,
        le=INT32,
        description="ID of a player. The response is the page of `limit` players with this player on it, and"
        " `offset` is ignored.",
    ),
]
# Only these are kept, see storage/cache/top_plays.py.
TopOffset = Annotated[int, Meta(ge=0, le=1000, description="Number of rows to skip (0 to 1000).")]
PageNumber = Annotated[int, Meta(ge=1, le=INT64, description="Page number, from 1.")]
PageSize = Annotated[int, Meta(ge=1, le=100, description="Rows per page (1 to 100).")]
# The 32 bits of a signed or an unsigned number.
ModsNumber = Annotated[
    int,
    Meta(
        ge=-(2**31),
        le=2**32 - 1,
        description="Mods of the play as a bitmask. Nightcore (512) includes DoubleTime (64).",
    ),
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
