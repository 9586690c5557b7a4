"""One parameter from text: the leniency and the refusals that clients know from the game server's validator.

That validator is pydantic 2; the types, messages and contexts of its errors are part of the contract.
"""

import re
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

import msgspec
from msgspec import inspect

Parser = Callable[[str], Any]

# What Unicode calls white space; str.strip() would take U+001C to U+001F too.
_SPACE = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
)
_INTEGER = re.compile(r"[+-]?[0-9]+(?:_[0-9]+)*(?:\.0+)?", re.ASCII)
_LONGEST_INTEGER = 4300
MOST_VALUES = 100
_BOOLEANS = dict.fromkeys(("1", "on", "t", "true", "y", "yes"), True)
_BOOLEANS |= dict.fromkeys(("0", "off", "f", "false", "n", "no"), False)


class Invalid(ValueError):
    """A value that a parameter does not take.

    `kind`, `msg` and `ctx` are those of the wire; `plain` finishes the sentence "<name> must …".
    """

    def __init__(self, kind: str, msg: str, plain: str, **ctx: Any) -> None:
        super().__init__(msg)
        self.kind = kind
        self.msg = msg
        self.plain = plain
        self.ctx = ctx


def parser(kind: inspect.Type, hint: Any) -> Parser:
    """What turns a text into a value of type `kind`, or raises Invalid. Raises TypeError for other types.

    `hint` is the annotation that `kind` was made from: msgspec sorts the choices of a Literal.
    """
    if isinstance(kind, inspect.Metadata):
        return parser(kind.type, hint)
    match kind:
        case inspect.UnionType(types=types):
            return parser(next(each for each in types if not isinstance(each, inspect.NoneType)), hint)
        case inspect.IntType():
            return lambda text: _within(integer(text), kind)
        case inspect.FloatType():
            return _number
        case inspect.BoolType():
            return _boolean
        case inspect.LiteralType():
            choices = _choices(hint)
            return lambda text: _choice(text, choices)
        case inspect.StrType():
            pattern = re.compile(kind.pattern or "", re.DOTALL)
            return lambda text: _text(text, kind, pattern)
    raise TypeError(f"no parameter can be of type {kind}")


def integer(text: str) -> int:
    """A whole number in any of the ways that clients write one. Raises Invalid."""
    digits = text.strip(_SPACE)
    if not _INTEGER.fullmatch(digits):
        message = "Input should be a valid integer, unable to parse string as an integer"
        raise Invalid("int_parsing", message, "be a whole number")
    whole = digits.partition(".")[0].replace("_", "")
    # int() counts the zeros at the front of an overlong number; the game server's validator does not.
    magnitude = whole.lstrip("+-0")
    if len(magnitude) > _LONGEST_INTEGER:
        message = "Unable to parse input string as an integer, exceeded maximum size"
        raise Invalid("int_parsing_size", message, "be a shorter number")
    return int(magnitude or "0") * (-1 if whole.startswith("-") else 1)


def _within(value: int, kind: inspect.IntType) -> int:
    if kind.ge is not None and value < kind.ge:
        message = f"Input should be greater than or equal to {kind.ge}"
        raise Invalid("greater_than_equal", message, f"be at least {kind.ge}", ge=kind.ge)
    if kind.le is not None and value > kind.le:
        message = f"Input should be less than or equal to {kind.le}"
        raise Invalid("less_than_equal", message, f"be at most {kind.le}", le=kind.le)
    return value


def _number(text: str) -> float:
    digits = text.strip(_SPACE)
    try:
        # Infinities and NaN are numbers; a single underscore may stand anywhere inside, but not beside spaces.
        if "_" in text and (digits != text or text[0] == "_" or text[-1] == "_" or "__" in text):
            raise ValueError
        if not digits.isascii():
            raise ValueError
        return float(digits.replace("_", ""))
    except ValueError:
        message = "Input should be a valid number, unable to parse string as a number"
        raise Invalid("float_parsing", message, "be a number") from None


def _boolean(text: str) -> bool:
    value = _BOOLEANS.get(text.lower())
    if value is None:
        message = "Input should be a valid boolean, unable to interpret input"
        raise Invalid("bool_parsing", message, "be true or false")
    return value


def _choices(hint: Any) -> list[str]:
    if get_origin(hint) is Literal:
        return [str(value) for value in get_args(hint)]
    return [choice for part in get_args(hint) for choice in _choices(part)]


def _choice(text: str, choices: list[str]) -> str:
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


def _text(text: str, kind: inspect.StrType, pattern: re.Pattern[str]) -> str:
    low, high = kind.min_length, kind.max_length
    if low is not None and len(text) < low:
        message = f"String should have at least {low} character{'s' * (low != 1)}"
        raise Invalid("string_too_short", message, f"have at least {low} characters", min_length=low)
    if high is not None and len(text) > high:
        message = f"String should have at most {high} character{'s' * (high != 1)}"
        raise Invalid("string_too_long", message, f"have at most {high} characters", max_length=high)
    # $ would let a line break through at the end, which the game server's validator does not.
    if kind.pattern and not pattern.fullmatch(text):
        message = f"String should match pattern '{kind.pattern}'"
        raise Invalid("string_pattern_mismatch", message, f"match {kind.pattern}", pattern=kind.pattern)
    return text


class Many(NamedTuple):
    """A parameter that may be repeated: the parser of each value, and how many there may be."""

    parse: Parser
    most: int


def fields_of(shape: type[msgspec.Struct]) -> list[tuple[str, bool, Parser | Many]]:
    """The wire name of each field of `shape`, whether it is required, and its parser."""
    info = inspect.type_info(shape)
    assert isinstance(info, inspect.StructType)
    hints = get_type_hints(shape)
    return [
        (field.encode_name, field.required, _parser_or_many(field.type, hints[field.name]))
        for field in info.fields
    ]


def _parser_or_many(kind: inspect.Type, hint: Any) -> Parser | Many:
    # Metadata is around a type that has a description.
    bare = kind.type if isinstance(kind, inspect.Metadata) else kind
    if isinstance(bare, inspect.VarTupleType):
        return Many(parser(bare.item_type, hint), bare.max_length or MOST_VALUES)
    return parser(kind, hint)
