"""Reading parameters: the same values and the same errors as pydantic 2, which the game server uses."""

import re
from types import NoneType
from typing import Annotated, Any, get_args, get_origin
from urllib.parse import urlencode

import msgspec
import pydantic
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from api.request.params import MAX_QUERY_LENGTH, InvalidParams, Reader
from api.routes import V1, V2
from api.v1.clans import ClanParams
from api.v1.players import InfoParams, SearchParams
from api.v1.scores import BeatmapScoresParams, PlayerScoresParams, ScoreParams
from domain.errors import APIError

SHAPES = {endpoint.params.__name__: endpoint.params for endpoint in V1.values()}
# Lists of words separated by commas are our own.
del SHAPES["EventsParams"]
SHAPES |= {f"V2{endpoint.params.__name__}": endpoint.params for endpoint in V2.values()}
NUMBERS = st.integers(-(2**70), 2**70).map(str) | st.integers(-3, 110).map(str)
ALMOST_NUMBERS = st.text(alphabet="0123456789+-_.e x\t\n\u00a0\u2003\x1c٣²", max_size=12)
WORDS = st.sampled_from(
    [
        "recent",
        "best",
        "stats",
        "all",
        "true",
        "Yes",
        "oN",
        "f",
        "0",
        "pp",
        "HD",
        "null",
        "None",
        "NaN",
        "1e3",
        "0x10",
    ]
)
NAMES = st.text(alphabet="aZ9_ -[]é試ß!\n", max_size=18)
TEXTS = NUMBERS | ALMOST_NUMBERS | WORDS | NAMES | st.text(alphabet=st.characters(codec="utf-8"), max_size=40)

# pydantic drops leading zeros before it parses, so that 0-5 is -5 and 0__1 is 1; we refuse those.
ODD_ZEROS = re.compile(r"\s*[+-]?0[0_]*?(?:[+-]|__)")
RUST_WORD = pydantic.TypeAdapter(Annotated[str, pydantic.Field(pattern=r"^\w+$")])


def model_of(shape: type[msgspec.Struct]) -> type[pydantic.BaseModel]:
    """Return the pydantic model with the fields of a params Struct."""
    fields: dict[str, Any] = {}
    for field in msgspec.structs.fields(shape):
        fallback = list(field.default) if isinstance(field.default, tuple) else field.default
        default = ... if field.required else pydantic.Field(default=fallback)
        fields[field.name] = (_annotation(field.type), default)
    model: type[pydantic.BaseModel] = pydantic.create_model(shape.__name__, **fields)
    return model


def _annotation(hint: Any) -> Any:
    if NoneType in get_args(hint):
        return _annotation(get_args(hint)[0]) | None
    if get_origin(hint) is not Annotated:
        return hint
    hint, meta = get_args(hint)
    if get_origin(hint) is tuple:
        hint = list.__class_getitem__(_annotation(get_args(hint)[0]))
    limits = {name: getattr(meta, name) for name in ("ge", "le", "min_length", "max_length", "pattern")}
    limits |= {"allow_inf_nan": False} if hint is float else {}
    return Annotated[hint, pydantic.Field(**limits)]


MODELS = {name: model_of(shape) for name, shape in SHAPES.items()}
# Parameters that take several values.
REPEATED = {
    name: {field for field, value in model.model_fields.items() if get_origin(value.annotation) is list}
    for name, model in MODELS.items()
}


def ours(name: str, texts: dict[str, str]) -> Any:
    """Return the values that we read, or our list of errors."""
    try:
        return msgspec.structs.asdict(Reader(SHAPES[name]).read(urlencode(texts).encode(), {}))
    except InvalidParams as error:
        return error.details


def theirs(name: str, texts: dict[str, str]) -> Any:
    """Return the same from pydantic, in the form in which FastAPI sends it."""
    required = {field for field, info in MODELS[name].model_fields.items() if info.is_required()}
    # Our own rule: an empty optional parameter counts as absent.
    given = {field: text for field, text in texts.items() if text or field in required}
    try:
        lists: dict[str, Any] = {field: [text] for field, text in given.items() if field in REPEATED[name]}
        values = MODELS[name](**(given | lists)).model_dump()
        return {field: tuple(value) if isinstance(value, list) else value for field, value in values.items()}
    except pydantic.ValidationError as error:
        details: list[dict[str, Any]] = []
        for each in error.errors(include_url=False):
            detail = dict(each) | {"loc": ["query", *each["loc"]]}
            details.append(detail | {"input": None} if each["type"] == "missing" else detail)
        return details


def same_words(text: str) -> bool:
    r"""Return whether Python's \w, which names are registered by, and pydantic's agree on each character."""
    for char in text:
        try:
            RUST_WORD.validate_python(char)
            word = True
        except pydantic.ValidationError:
            word = False
        if word != bool(re.fullmatch(r"\w", char)):
            return False
    return True


@pytest.mark.parametrize("name", SHAPES)
@settings(max_examples=100)
@given(data=st.data())
def test_reads_and_refuses_as_pydantic_does(name: str, data: st.DataObject) -> None:
    texts = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(MODELS[name].model_fields, TEXTS)))
    assume(same_words(texts.get("name", "")))
    assume(not any(ODD_ZEROS.match(text) for text in texts.values()))
    # By repr(), which tells 5 from 5.0.
    assert repr(ours(name, texts)) == repr(theirs(name, texts))


@settings(max_examples=400)
@given(text=TEXTS)
@example("9" * 4300)
@example("9" * 4301)
@example("0" * 5000)
@example("1." + "0" * 5000)
@example("-" + "1" * 5000)
@example("\x1f7")
@example("\u20287\u3000")
@example("1__0")
@example("1_0.0")
@example("1.")
@example("-0")
@example("+ 5")
@example("--5")
@example("٥")
def test_numbers(text: str) -> None:
    assume(text and not ODD_ZEROS.match(text))
    for name, parameter in {"PlayerScoresParams": "limit", "ScoreParams": "id"}.items():
        assert ours(name, {"scope": "best", parameter: text}) == theirs(name, {"scope": "best", parameter: text})


def test_every_invalid_parameter_is_listed_in_declared_order() -> None:
    query = b"offset=-1&limit=x&mode=12&mods=HD&name=%21&id=2&include_loved=maybe&scope=Best"
    with pytest.raises(InvalidParams) as caught:
        Reader(PlayerScoresParams).read(query, {})
    assert [(detail["type"], detail["loc"][1]) for detail in caught.value.details] == [
        ("literal_error", "scope"),
        ("greater_than_equal", "id"),
        ("string_pattern_mismatch", "name"),
        ("less_than_equal", "mode"),
        ("int_parsing", "limit"),
        ("bool_parsing", "include_loved"),
        ("greater_than_equal", "offset"),
    ]
    assert caught.value.plain == "scope must be one of recent, best, first, pinned."


@pytest.mark.parametrize(
    ("shape", "query", "field", "value"),
    [
        (ScoreParams, b"id=3&id=4", "id", 4),
        (ScoreParams, b"id=x&id=4", "id", 4),
        (InfoParams, b"scope=all&id=3&id=", "id", None),
        (InfoParams, b"scope=all&name=&name=a+b", "name", "a b"),
        (SearchParams, b"q=%2B", "q", "+"),
        (SearchParams, b"q=a;q=b", "q", "a;q=b"),
        (SearchParams, b"q", "q", None),
        (SearchParams, b"q=%FF%C3%28", "q", "\ufffd\ufffd("),
        (SearchParams, b"q=%ED%A0%80", "q", "\ufffd\ufffd\ufffd"),
        (SearchParams, b"q=%C0%AF", "q", "\ufffd\ufffd"),
        (SearchParams, b"q=%00", "q", "\0"),
        (SearchParams, b"q=%", "q", "%"),
        (SearchParams, b"q=%zz", "q", "%zz"),
        (SearchParams, b"Q=a&q[]=b&&=c&", "q", None),
        (BeatmapScoresParams, b"scope=best&mode=&mods=", "mode", 0),
        (BeatmapScoresParams, b"scope=best&id=0", "id", 0),
    ],
)
def test_queries(shape: type[msgspec.Struct], query: bytes, field: str, value: object) -> None:
    assert getattr(Reader(shape).read(query, {}), field) == value


@pytest.mark.parametrize("name", ["ab\n", "a", "a" * 16, "a!b", "a\tb", "é\u0301ab"])
def test_impossible_names_are_invalid(name: str) -> None:
    with pytest.raises(InvalidParams):
        Reader(InfoParams).read(urlencode({"scope": "all", "name": name}).encode(), {})


def test_a_query_that_is_too_long_is_refused() -> None:
    with pytest.raises(APIError) as caught:
        Reader(ClanParams).read(b"id=1&x=" + b"y" * MAX_QUERY_LENGTH, {})
    assert caught.value.status == 414
    assert Reader(ClanParams).read(b"id=1&x=" + b"y" * (MAX_QUERY_LENGTH - 7), {}).id == 1
