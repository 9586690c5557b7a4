"""The documentation names everything there is."""

import re
from typing import get_args, get_type_hints

from api.routes import V1, V2
from config.settings import Settings
from tests.conftest import ROOT

API = (ROOT / "docs/api.md").read_text(encoding="utf-8")
SETTINGS = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
ENV_EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
HINTS = get_type_hints(Settings, include_extras=True)


def test_every_route_has_a_section() -> None:
    assert set(V1) <= set(re.findall(r"^### `(\w+)`", API, re.MULTILINE))


def test_every_section_has_a_route() -> None:
    assert set(re.findall(r"^### `(\w+)`", API, re.MULTILINE)) <= set(V1)


def test_every_parameter_is_in_its_section() -> None:
    for name, endpoint in V1.items():
        section = API.partition(f"### `{name}`")[2].partition("\n### ")[0]
        for parameter in endpoint.params.__struct_fields__:
            assert f"`{parameter}`" in section, f"{name} does not mention {parameter}"


def test_every_route_of_the_second_version_is_in_its_table_with_its_parameters() -> None:
    section = API.partition("\n## Version 2\n")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `([\w/{}]+)` \| (.*?) ?\|", section, re.MULTILINE))
    assert list(rows) == list(V2)
    for name, endpoint in V2.items():
        in_path = re.findall(r"{(\w+)}", name)
        in_query = [field for field in endpoint.params.__struct_fields__ if field not in in_path]
        named = re.findall(r"`(\w+)`", re.sub(r"\(.*?\)", "", rows[name]))
        assert sorted(named) == sorted(in_query), name
        # What is in the path is checked first, and told first.
        assert list(endpoint.params.__struct_fields__[: len(in_path)]) == in_path


def test_every_setting_is_in_the_table_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `([A-Z0-9_]+)` \| (.*?) \|", SETTINGS, re.MULTILINE))
    assert rows == {name.upper(): f"`{text}`" if text else "" for name, text in defaults().items()}


def test_every_setting_is_in_the_example_with_its_default() -> None:
    lines = dict(re.findall(r"^#([A-Z0-9_]+)=(.*)$", ENV_EXAMPLE, re.MULTILINE))
    assert lines == {name.upper(): text for name, text in defaults().items()}


def test_every_setting_says_what_it_is() -> None:
    for name, hint in HINTS.items():
        assert get_args(hint)[1].description, f"{name} has no description"


def defaults() -> dict[str, str]:
    """The default of each setting, as one writes it in a settings file."""
    values = {name: getattr(Settings(), name) for name in HINTS}
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in values.items()}
