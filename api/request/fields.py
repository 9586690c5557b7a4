"""Parsing one parameter from text, as pydantic 2 does.

The game server validates its parameters with pydantic 2, so clients know what it accepts, and its error types,
messages and contexts are what clients know.
"""

import math
import re
from collections.abc import Callable
from types import NoneType
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, get_args, get_origin

from msgspec import Meta

Parser = Callable[[str], Any]
N = TypeVar("N", int, float)

# Unicode white space; str.strip() would strip U+001C to U+001F too.
_SPACE = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
)
_INTEGER = re.compile(r"[+-]?[0-9]+(?:_[0-9]+)*(?:\.0+)?", re.ASCII)
_MAX_DIGITS = 4300
# Of a parameter with several values that declares no maximum.
MAX_VALUES = 100
# The metadata of a tuple whose items are in one value, separated by commas; without it, the parameter is repeated.
IN_ONE_VALUE: dict[str, Any] = {"extra": {"separator": ","}, "extra_json_schema": {"explode": False}}
_BOOLEANS = dict.fromkeys(("1", "on", "t", "true", "y", "yes"), True)
_BOOLEANS |= dict.fromkeys(("0", "off", "f", "false", "n", "no"), False)


MALFORMED = {"int_parsing", "int_parsing_size", "float_parsing", "finite_number", "bool_parsing", "literal_error"}


class Invalid(ValueError):
    """A text that is not a valid value of a parameter.

    `kind`, `msg` and `ctx` are what the response says. `plain` completes the sentence "<name> must …".
    """

    def __init__(self, kind: str, msg: str, plain: str, **ctx: Any) -> None:
        super().__init__(msg)
        self.kind = kind
        self.msg = msg
        self.plain = plain
        self.ctx = ctx

    @property
    def malformed(self) -> bool:
        """Whether the text is no value of the parameter's type at all, as opposed to one that is out of bounds."""
        return self.kind in MALFORMED


class Repeated(NamedTuple):
    """A parameter that may be repeated: how to parse each value, and how many there may be."""

    parse: Parser
    max_values: int


def parser(hint: Any) -> Parser | Repeated:
    """Return a function that parses a text as a parameter of type `hint`, or raises Invalid.

    For a tuple return how to parse its items. Raise TypeError for a type that no parameter has.
    """
    if NoneType in get_args(hint):
        hint, _ = get_args(hint)
    limits = Meta()
    if get_origin(hint) is Annotated:
        hint, limits = get_args(hint)
    if get_origin(hint) is tuple:
        item = parser(get_args(hint)[0])
        assert not isinstance(item, Repeated)
        most = limits.max_length or MAX_VALUES
        if limits.extra == IN_ONE_VALUE["extra"]:
            return lambda text: _items(text, item, most)
        return Repeated(item, most)
    if get_origin(hint) is Literal:
        return lambda text: _choice(text, get_args(hint))
    if hint is int:
        return lambda text: _within(integer(text), limits.ge, limits.le)
    if hint is float:
        low, high = (None if bound is None else float(bound) for bound in (limits.ge, limits.le))
        return lambda text: _within(_finite_number(text), low, high)
    if hint is bool:
        return _boolean
    if hint is str:
        pattern = re.compile(limits.pattern or "", re.DOTALL)
        return lambda text: _text(text, limits, pattern)
    raise TypeError(f"no parameter can be of type {hint}")


def _items(text: str, parse: Parser, most: int) -> tuple[Any, ...]:
    """Return the values in a text that separates them by commas. Raise Invalid at the first that is not valid."""
    items = text.split(",", most)
    if len(items) > most:
        message = f"List should have at most {most} items after validation"
        raise Invalid("too_long", message, f"have at most {most} values", field_type="List", max_length=most)
    return tuple(parse(item) for item in items)


def integer(text: str) -> int:
    """Return the integer in `text`, in any of the forms that pydantic accepts. Raise Invalid."""
    digits = text.strip(_SPACE)
    if not _INTEGER.fullmatch(digits):
        message = "Input should be a valid integer, unable to parse string as an integer"
        raise Invalid("int_parsing", message, "be a whole number")
    whole = digits.partition(".")[0].replace("_", "")
    # int() limits the number of digits with leading zeros, pydantic without them.
    magnitude = whole.lstrip("+-0")
    if len(magnitude) > _MAX_DIGITS:
        message = "Unable to parse input string as an integer, exceeded maximum size"
        raise Invalid("int_parsing_size", message, "be a shorter number")
    return int(magnitude or "0") * (-1 if whole.startswith("-") else 1)


def _within(value: N, low: N | None, high: N | None) -> N:
    if low is not None and value < low:
        raise Invalid("greater_than_equal", *_bound("greater", "at least", low), ge=low)
    if high is not None and value > high:
        raise Invalid("less_than_equal", *_bound("less", "at most", high), le=high)
    return value


def _bound(comparison: str, plain: str, bound: float) -> tuple[str, str]:
    # A float without a fraction is written without one, but not in the context.
    number = str(bound).removesuffix(".0")
    return f"Input should be {comparison} than or equal to {number}", f"be {plain} {number}"


def _finite_number(text: str) -> float:
    digits = text.strip(_SPACE)
    try:
        # Single underscores may separate digits, but not beside white space at the ends.
        if "_" in text and (digits != text or text[0] == "_" or text[-1] == "_" or "__" in text):
            raise ValueError
        if not digits.isascii():
            raise ValueError
        value = float(digits.replace("_", ""))
    except ValueError:
        message = "Input should be a valid number, unable to parse string as a number"
        raise Invalid("float_parsing", message, "be a number") from None
    if not math.isfinite(value):
        raise Invalid("finite_number", "Input should be a finite number", "be a finite number")
    return value


def _boolean(text: str) -> bool:
    value = _BOOLEANS.get(text.lower())
    if value is None:
        message = "Input should be a valid boolean, unable to interpret input"
        raise Invalid("bool_parsing", message, "be true or false")
    return value


def _choice(text: str, choices: tuple[str, ...]) -> str:
    if text not in choices:
        quoted = [f"'{choice}'" for choice in choices]
        expected = " or ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))
        raise Invalid(
            "literal_error",
            f"Input should be {expected}",
            f"be one of {', '.join(choices)}",
            expected=expected,
        )
    return text


def _text(text: str, limits: Meta, pattern: re.Pattern[str]) -> str:
    low, high = limits.min_length, limits.max_length
    if low is not None and len(text) < low:
        message = f"String should have at least {low} character{'s' * (low != 1)}"
        raise Invalid("string_too_short", message, f"have at least {low} characters", min_length=low)
    if high is not None and len(text) > high:
        message = f"String should have at most {high} character{'s' * (high != 1)}"
        raise Invalid("string_too_long", message, f"have at most {high} characters", max_length=high)
    # In pydantic's regular expressions, $ does not match before a line break at the end.
    if limits.pattern and not pattern.fullmatch(text):
        message = f"String should match pattern '{limits.pattern}'"
        raise Invalid("string_pattern_mismatch", message, f"match {limits.pattern}", pattern=limits.pattern)
    return text
