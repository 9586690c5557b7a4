"""calculate_pp beyond the recorded requests: parameters, batches, beatmap files and where they come from."""

import hashlib
import http.server
import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, ClassVar

import httpx2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter, ValidationError

from api.request.fields import Invalid, parser
from api.v1.performance import Accuracies
from tests.conftest import PLAYER, Playground, playground, signed
from tests.support import conformance

OSU = conformance.WORLD / "osu"


def ask(world: Playground, query: str, endpoint: str = "calculate_pp") -> httpx2.Response:
    return world.client.get(f"/v1/{endpoint}?{query}", headers=signed(PLAYER))


ACC: Any = parser(Accuracies)
ACCURACY: TypeAdapter[float] = TypeAdapter(Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)])
NUMBERS = st.one_of(
    st.text(max_size=12),
    st.from_regex(r"\A ?[-+]?[0-9_]{0,3}\.?[0-9]*(e[0-9]+)? ?\Z"),
    st.floats().map(str),
)


@settings(max_examples=500)
@given(NUMBERS)
@example("100")
@example("100.00000001")
@example("101")
@example("0")
@example("-0")
@example("-5")
@example("-1e-300")
@example("nan")
@example("NaN")
@example("inf")
@example("-infinity")
@example("1e400")
def test_accuracies_are_validated_as_by_pydantic(text: str) -> None:
    try:
        expected: Any = ACCURACY.validate_python(text)
    except ValidationError as error:
        (details,) = error.errors()
        expected = details["type"], details["msg"], details.get("ctx", {})
    try:
        actual: Any = ACC.parse(text)
    except Invalid as error:
        actual = error.kind, error.msg, error.ctx

    # By repr(), which tells 100 from 100.0.
    assert repr(actual) == repr(expected)


def test_every_invalid_value_of_a_repeated_parameter_is_listed(world: Playground) -> None:
    answer = ask(world, "mode=x&acc=abc&acc=99&acc=&acc=x")

    assert answer.status_code == 422
    assert [error["loc"] for error in answer.json()["detail"]] == [
        ["query", "id"],
        ["query", "mode"],
        ["query", "acc", 0],
        ["query", "acc", 2],
    ]
    assert answer.json()["status"] == "id must be given."


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("mode=12", "less_than_equal"),
        ("mode=-1", "greater_than_equal"),
        ("combo=-1", "greater_than_equal"),
        ("n100=-1", "greater_than_equal"),
        ("misses=2147483648", "less_than_equal"),
        ("mods=HD", "int_parsing"),
        ("mods=4294967296", "less_than_equal"),
        ("&".join(["acc=99"] * 101), "too_long"),
        ("acc=101", "less_than_equal"),
        ("acc=1e308", "less_than_equal"),
        ("acc=-5", "greater_than_equal"),
        ("acc=-1e308", "greater_than_equal"),
        ("acc=nan", "finite_number"),
        ("acc=inf", "finite_number"),
        ("acc=-inf", "finite_number"),
    ],
)
def test_values_out_of_range_are_invalid(on_sqlite: Playground, query: str, kind: str) -> None:
    answer = ask(on_sqlite, f"id=78&{query}")

    assert (answer.status_code, answer.json()["detail"][0]["type"]) == (422, kind)


@pytest.mark.parametrize("endpoint", ["calculate_pp", "calculate_pp_batch"])
def test_an_accuracy_out_of_range_is_described(on_sqlite: Playground, endpoint: str) -> None:
    answer = ask(on_sqlite, "id=78&acc=99&acc=100.5&acc=nan", endpoint)

    assert answer.status_code == 422
    assert answer.json() == {
        "detail": [
            {
                "type": "less_than_equal",
                "loc": ["query", "acc", 1],
                "msg": "Input should be less than or equal to 100",
                "input": "100.5",
                "ctx": {"le": 100.0},
            },
            {
                "type": "finite_number",
                "loc": ["query", "acc", 2],
                "msg": "Input should be a finite number",
                "input": "nan",
            },
        ],
        "status": "acc must be at most 100.",
    }


@pytest.mark.pp_engine
@pytest.mark.parametrize("mode", range(12))
@pytest.mark.parametrize(
    "query",
    [
        *(f"{name}=2147483647" for name in ("nkatu", "ngeki", "n100", "n50", "misses", "combo")),
        *(f"acc={acc}" for acc in ("0", "1e-308", "99.99999999999999", "100")),
        "mods=4294967295",
        "mods=-2147483648",
    ],
)
def test_extreme_numbers_are_calculated(on_sqlite: Playground, mode: int, query: str) -> None:
    answer = ask(on_sqlite, f"id=78&mode={mode}&{query}")

    assert answer.status_code == 200
    assert "NaN" not in answer.text


@pytest.mark.pp_engine
def test_nightcore_implies_double_time(on_sqlite: Playground) -> None:
    assert ask(on_sqlite, "id=78&mods=512").json() == ask(on_sqlite, "id=78&mods=64").json()


@pytest.mark.pp_engine
def test_a_batch_has_the_order_of_the_request_and_one_beatmap_may_fail(world: Playground) -> None:
    answer = ask(world, "id=280&id=78&id=1999999&id=137&id=280&acc=99&acc=98&mods=64", "calculate_pp_batch").json()

    assert answer["status"] == "success"
    assert [(entry["id"], entry["status"]) for entry in answer["maps"]] == [
        (280, "success"),
        (78, "success"),
        (1999999, "Beatmap not found."),
        (137, "Beatmap file could not be fetched."),
    ]
    assert answer["maps"][1]["results"] == ask(world, "id=78&acc=99&acc=98&mods=64").json()
    assert answer["maps"][2]["results"] == []


def test_a_batch_is_of_one_to_fifty_beatmaps(on_sqlite: Playground) -> None:
    too_many = ask(on_sqlite, "&".join(["id=78"] * 51), "calculate_pp_batch")
    none = ask(on_sqlite, "acc=99", "calculate_pp_batch")
    empty = ask(on_sqlite, "id=78&id=", "calculate_pp_batch")

    assert (too_many.status_code, too_many.json()["detail"][0]["type"]) == (422, "too_long")
    assert (none.status_code, none.json()["detail"][0]["type"]) == (422, "missing")
    assert (empty.status_code, empty.json()["detail"][0]["loc"]) == (422, ["query", "id", 1])


@pytest.mark.pp_engine
def test_an_outdated_file_is_not_calculated(on_sqlite: Playground) -> None:
    (on_sqlite.data / "osu" / "901.osu").write_bytes((OSU / "78.osu").read_bytes())
    answer = ask(on_sqlite, "id=901")

    assert (answer.status_code, answer.json()) == (400, {"status": "Beatmap file could not be fetched."})


@pytest.mark.pp_engine
def test_an_unknown_beatmap(on_sqlite: Playground) -> None:
    answer = ask(on_sqlite, "id=1999999")

    assert (answer.status_code, answer.json()) == (400, {"status": "Beatmap not found."})


class Mirror(http.server.BaseHTTPRequestHandler):
    """A mirror of the recorded beatmaps, with another version of 86, an endless 465 and a very slow 470."""

    asked: ClassVar[list[str]] = []
    slow = threading.Event()

    def do_GET(self) -> None:
        self.asked.append(self.path)
        beatmap = self.path.rpartition("/")[2]
        self.slow.wait(10 if beatmap == "470" else 0.2)
        self.send_response(200)
        self.end_headers()
        try:
            while beatmap == "465":
                self.wfile.write(b"osu file format v14\n" * 10_000)
            self.wfile.write(b"//" * (beatmap == "86") + (OSU / f"{beatmap}.osu").read_bytes())
        except OSError:
            pass

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def mirror() -> Iterator[str]:
    """Run a mirror, and yield its address for the setting BEATMAP_MIRROR."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/osu/{{id}}"
        Mirror.slow.set()
        server.shutdown()


@pytest.fixture(scope="module")
def mirrored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    """A world without beatmap files, beside a mirror that has them."""
    folder = tmp_path_factory.mktemp("mirrored")
    url = f"sqlite:///{folder / 'world.sqlite'}"
    with (
        mirror() as beatmap_mirror,
        playground(folder, url, beatmap_mirror=beatmap_mirror, beatmap_mirror_timeout="1") as here,
    ):
        for file in (here.data / "osu").iterdir():
            file.unlink()
        (here.data / "osu" / "552.osu").write_bytes(b"an older version")
        yield here


@pytest.mark.pp_engine
def test_a_missing_file_is_downloaded_once_for_simultaneous_requests(mirrored: Playground) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(mirrored, "id=78&acc=100"), range(8)))

    assert [answer.status_code for answer in answers] == [200] * 8
    assert answers[0].json()[0]["performance"]["pp"] == 115.549
    assert Mirror.asked.count("/osu/78") == 1
    assert (mirrored.data / "osu" / "78.osu").read_bytes() == (OSU / "78.osu").read_bytes()


@pytest.mark.pp_engine
def test_an_outdated_file_is_replaced(mirrored: Playground) -> None:
    assert ask(mirrored, "id=552&mode=2").status_code == 200
    assert (mirrored.data / "osu" / "552.osu").read_bytes() == (OSU / "552.osu").read_bytes()


@pytest.mark.pp_engine
@pytest.mark.parametrize("beatmap", [86, 465, 470])
def test_a_bad_download_is_neither_stored_nor_retried_at_once(mirrored: Playground, beatmap: int) -> None:
    answers = [ask(mirrored, f"id={beatmap}") for _ in range(3)]

    assert [answer.json() for answer in answers] == [{"status": "Beatmap file could not be fetched."}] * 3
    assert Mirror.asked.count(f"/osu/{beatmap}") == 1
    assert not (mirrored.data / "osu" / f"{beatmap}.osu").exists()
    assert not list((mirrored.data / "osu").glob(".*"))


@pytest.mark.pp_engine
def test_a_mirror_that_cannot_be_reached(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'world.sqlite'}"
    with playground(tmp_path, url, beatmap_mirror="http://127.0.0.1:9/{id}") as here:
        answer = ask(here, "id=137")

    assert (answer.status_code, answer.json()) == (400, {"status": "Beatmap file could not be fetched."})


def test_without_the_engine(tmp_path: Path) -> None:
    bare = Path(sys.base_prefix, "bin", f"python3.{sys.version_info[1]}")
    with playground(tmp_path, f"sqlite:///{tmp_path / 'world.sqlite'}", pp_python=str(bare)) as here:
        answers = [ask(here, "id=78"), ask(here, "id=78"), ask(here, "id=78", "calculate_pp_batch")]
        assert "akatsuki-pp-py NOT INSTALLED" in here.process.output()

    text = "pp cannot be calculated here: akatsuki-pp-py is not installed."
    assert [(answer.status_code, answer.json()) for answer in answers] == [(501, {"status": text})] * 3


def test_a_python_that_does_not_exist(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'world.sqlite'}"
    with playground(tmp_path, url, pp_python=os.fspath(tmp_path / "nothing")) as here:
        answer = ask(here, "id=78")

    assert (answer.status_code, answer.json()) == (503, {"status": "The pp engine does not start."})


def test_the_recorded_files_have_the_md5s_of_the_recorded_table() -> None:
    md5s = {row[4] for table, _, rows in conformance.tables() if table == "maps" for row in rows}

    assert hashlib.md5((OSU / "78.osu").read_bytes(), usedforsecurity=False).hexdigest() in md5s
