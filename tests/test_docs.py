"""docs/api.md covers every route and parameter."""

import re

from api.routes import V1, V2
from tests.conftest import ROOT

API = (ROOT / "docs/api.md").read_text(encoding="utf-8")


def test_every_route_has_a_section() -> None:
    assert set(V1) <= set(re.findall(r"^### `(\w+)`", API, re.MULTILINE))


def test_every_section_has_a_route() -> None:
    assert set(re.findall(r"^### `(\w+)`", API, re.MULTILINE)) <= set(V1)


def test_every_parameter_is_in_its_section() -> None:
    for name, endpoint in V1.items():
        section = API.partition(f"### `{name}`")[2].partition("\n### ")[0]
        for parameter in endpoint.params.__struct_fields__:
            assert f"`{parameter}`" in section, f"{name} does not mention {parameter}"


def test_every_route_of_version_2_is_in_the_table_with_its_parameters() -> None:
    section = API.partition("\n## Version 2\n")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `([\w/{}]+)` \| (.*?) ?\|", section, re.MULTILINE))
    assert list(rows) == list(V2)
    for name, endpoint in V2.items():
        in_path = re.findall(r"{(\w+)}", name)
        in_query = [field for field in endpoint.params.__struct_fields__ if field not in in_path]
        documented = re.findall(r"`(\w+)`", re.sub(r"\(.*?\)", "", rows[name]))
        assert sorted(documented) == sorted(in_query), name
        # Parameters in the path are validated first, so their errors come first.
        assert list(endpoint.params.__struct_fields__[: len(in_path)]) == in_path
