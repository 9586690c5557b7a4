"""Converts the rows of a result to Structs, also where this database's columns differ from the stock schema.

msgspec converts results whose columns have the types of the fields. Forks and migrations by hand make columns that
may be NULL, or have another type. The values of those are converted one by one: to what they stand for or, if that
is unknown, to the neutral value of the field. Each such column is logged once.
"""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import msgspec
from msgspec import inspect

from domain.scores import Score, set_unix_times
from storage.database.rows import RowShape

if TYPE_CHECKING:
    from storage.database.database import Query

log = logging.getLogger("apidot")

T = TypeVar("T")

LARGEST, SMALLEST = 2**64 - 1, -(2**63)  # that JSON can carry
DATE, DATE_AND_TIME = "%Y%m%d", "%Y%m%d%H%M%S"  # as MySQL writes them as numbers


class Field(NamedTuple):
    """A field of a Struct.

    A Struct in it is `nested`; every other value is of one of `types`, or what `convert` makes of it.
    """

    nullable: bool
    nested: type[msgspec.Struct] | None = None
    convert: Callable[[Any], Any] = str
    types: tuple[type, ...] = ()
    neutral: Any = None


class RowConverter:
    """Converts rows to Structs."""

    def __init__(self, zone: tzinfo | None = None) -> None:
        """`zone` is the time zone of the game server, None for that of this machine."""
        self._zone = zone
        self._logged: set[tuple[str, str]] = set()

    def convert(self, query: "Query[T]", shape: RowShape, rows: Sequence[Sequence[Any]]) -> list[T]:
        """Return the Structs of the rows of a result. Scores get their `play_time_unix`."""
        structs = self._converted(query, shape, rows)
        if issubclass(query.row, Score):
            set_unix_times(cast(list[Score], structs), self._zone)
        return structs

    def _converted(self, query: "Query[T]", shape: RowShape, rows: Sequence[Sequence[Any]]) -> list[T]:
        mappings = shape.mappings(rows)
        fits = shape.fits.get(query.row)
        if fits is None:
            fits = shape.fits[query.row] = _fits(shape, query.row)
        if fits:
            try:
                if len(mappings) == 1:
                    # Each call prepares the type of a list anew, which takes longer than a row.
                    return [msgspec.convert(mappings[0], query.row, strict=False)]
                return msgspec.convert(mappings, query.rows, strict=False)
            except msgspec.ValidationError:
                # A value is NULL where the field has none, or out of the field's bounds.
                pass
        return [self._struct(query, query.row, mapping) for mapping in mappings]

    def _struct(self, query: "Query[Any]", row: Any, mapping: Mapping[str, Any], prefix: str = "") -> Any:
        values: dict[str, Any] = {}
        for name, field in fields_of(row).items():
            if name not in mapping:
                continue
            value = mapping[name]
            if value is None:
                values[name] = field.neutral
                if not field.nullable:
                    self._log(query.column(prefix + name), "NULL", field)
            elif field.nested:
                values[name] = self._struct(query, field.nested, value, f"{prefix}{name}__")
            else:
                try:
                    values[name] = field.convert(value)
                except (TypeError, ValueError, OverflowError, OSError):
                    values[name] = field.neutral
                    self._log(query.column(prefix + name), "a value of another type", field)
        # Unlike msgspec.convert, this does not check the bounds of fields, which are for what clients send.
        return row(**values)

    def _log(self, column: str, what: str, field: Field) -> None:
        if (column, what) not in self._logged:
            self._logged.add((column, what))
            answered = msgspec.json.encode(field.neutral).decode()
            advice = "`main.py check` says how to mend the column"
            log.warning("%s has %s in some rows, answered as %s: %s", column, what, answered, advice)


@cache
def fields_of(row: type[msgspec.Struct]) -> dict[str, Field]:
    """Return the fields of a Struct by name."""
    struct = inspect.type_info(row)
    assert isinstance(struct, inspect.StructType)
    return {field.name: _field(field.type) for field in struct.fields}


def _field(declared: inspect.Type) -> Field:
    """Return the field of a declared type. Its metadata may have a neutral value other than 0 or an empty text."""
    extra: dict[str, Any] = {}
    if isinstance(declared, inspect.Metadata):
        extra = declared.extra or {}
        declared = declared.type
    options = declared.types if isinstance(declared, inspect.UnionType) else (declared,)
    nullable = any(isinstance(option, inspect.NoneType) for option in options)
    for option in options:
        kind = option.type if isinstance(option, inspect.Metadata) else option
        if isinstance(kind, inspect.StructType):
            return Field(nullable, nested=kind.cls)
        if type(kind) in KINDS:
            convert, types, neutral = KINDS[type(kind)]
            return Field(nullable, None, convert, types, None if nullable else extra.get("neutral", neutral))
    raise TypeError(f"no column is converted to {declared}")


def _fits(shape: RowShape, row: Any, prefix: str = "") -> bool:
    """Return whether every column has the type of its field, as far as it is known."""
    for name, field in fields_of(row).items():
        if field.nested:
            if not _fits(shape, field.nested, f"{prefix}{name}__"):
                return False
        elif shape.types.get(prefix + name, field.types[0]) not in field.types:
            return False
    return True


def _integer(value: Any) -> int:
    if isinstance(value, str | bytes):
        text = _text(value).strip()
        try:
            value = int(text)
        except ValueError:
            value = float(text)
    number: int = round(value)
    if not SMALLEST <= number <= LARGEST:
        raise OverflowError
    return number


def _number(value: Any) -> int | float:
    number = value if isinstance(value, int) else float(_text(value) if isinstance(value, bytes) else value)
    if not math.isfinite(number):
        raise ValueError
    return number


def _flag(value: Any) -> bool:
    return _integer(value) != 0


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        # BINARY columns are padded with zeros.
        return value.decode().rstrip("\0")
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


def _time(value: Any) -> datetime:
    if isinstance(value, str | bytes):
        text = _text(value).strip()
        if not text.isdecimal():
            value = datetime.fromisoformat(text[:19])
    if not isinstance(value, datetime):
        number = _integer(value)
        digits = str(number)
        if len(digits) == 14:
            value = datetime.strptime(digits, DATE_AND_TIME)
        elif len(digits) == 8:
            value = datetime.strptime(digits, DATE)
        else:
            value = datetime.fromtimestamp(number, UTC)
    time: datetime = value.replace(microsecond=0, tzinfo=None)
    return time


# By the declared type of a field: the function that converts a value, the types that msgspec converts, the neutral
# value.
KINDS: dict[type[inspect.Type], tuple[Callable[[Any], Any], tuple[type, ...], Any]] = {
    inspect.IntType: (_integer, (int,), 0),
    inspect.FloatType: (_number, (int, float), 0.0),
    inspect.BoolType: (_flag, (int,), False),
    inspect.StrType: (_text, (str,), ""),
    inspect.DateTimeType: (_time, (datetime,), None),
}
