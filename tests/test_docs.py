"""docs/api.md covers every route and parameter."""

import re

from api.routes import OSU_V1, V1, V2
from api.websocket import PATHS
from tests.conftest import ROOT

API = (ROOT / "docs/api.md").read_text(encoding="utf-8")
SECTIONS = re.findall(r"^### `(\w+)`", API, re.MULTILINE)
ROWS = re.findall(r"^\| \[`(\w+)`\]\(#\1\) \| \S", API, re.MULTILINE)


def test_every_route_has_a_section() -> None:
    missing = [f"### `{name}`" for name in V1 if name not in SECTIONS]
    assert not missing, f"docs/api.md: sections to add below `## Version 1`: {missing}"


def test_every_route_is_in_the_table_above_the_sections() -> None:
    missing = [f"| [`{name}`](#{name}) | what it returns |" for name in V1 if name not in ROWS]
    assert not missing, f"docs/api.md: rows to add to the table below `## Version 1`: {missing}"


def test_every_section_and_row_has_a_route() -> None:
    gone = {*SECTIONS, *ROWS} - {*V1, PATHS[0].removeprefix("/v1/")}
    assert not gone, f"docs/api.md describes {sorted(gone)}, which api/routes.py does not have"


def test_every_parameter_is_in_its_section() -> None:
    missing = []
    for name, endpoint in V1.items():
        section = API.partition(f"### `{name}`")[2].partition("\n### ")[0]
        missing += [
            f"`{field}` in the section `{name}`"
            for field in endpoint.params.__struct_fields__
            if f"`{field}`" not in section
        ]
    assert not missing, f"docs/api.md: parameters to describe: {missing}"


def test_every_route_of_version_2_is_in_the_table_with_its_parameters() -> None:
    section = API.partition("\n## Version 2\n")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `([\w/{}]+)` \| (.*?) ?\|", section, re.MULTILINE))
    missing = [f"| `{name}` | its parameters | what it returns |" for name in V2 if name not in rows]
    assert not missing, f"docs/api.md: rows to add to the table below `## Version 2`: {missing}"
    assert list(rows) == list(V2), "docs/api.md: the rows below `## Version 2` are in the order of api/routes.py"
    for name, endpoint in V2.items():
        in_path = re.findall(r"{(\w+)}", name)
        in_query = [field for field in endpoint.params.__struct_fields__ if field not in in_path]
        documented = re.findall(r"`(\w+)`", re.sub(r"\(.*?\)", "", rows[name]))
        assert sorted(documented) == sorted(in_query), f"docs/api.md: the parameters in the row `{name}`"
        # Parameters in the path are validated first, so their errors come first.
        assert list(endpoint.params.__struct_fields__[: len(in_path)]) == in_path


def test_every_route_of_the_osu_api_is_in_its_table_with_its_parameters() -> None:
    section = API.partition("\n## osu! API v1\n")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `(get_\w+)` \| (.*?) ?\|", section, re.MULTILINE))
    assert list(rows) == list(OSU_V1), "docs/api.md: the rows below `## osu! API v1` are those of api/routes.py"
    for name, endpoint in OSU_V1.items():
        documented = re.findall(r"`(\w+)`", re.sub(r"\(.*?\)", "", rows[name]))
        assert sorted(documented) == sorted(endpoint.params.__struct_fields__), (
            f"the parameters in the row `{name}`"
        )
        assert f"/api/{name}?" in section, f"docs/api.md: an example of `{name}`"
