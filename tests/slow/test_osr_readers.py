"""Every replay of the recorded and the demo world, read by the libraries that people use."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.slow.readers import in_python, isolated
from tests.slow.readers.in_python import Parsed
from tests.support.replay_samples import Frame, Row, Sample, demo, recorded

ExpectedFrames = Callable[[int, list[Frame]], list[Any]]


@pytest.fixture(scope="module", params=[recorded, demo], ids=["recorded", "demo"])
def world(request: pytest.FixtureRequest) -> list[Sample]:
    samples: list[Sample] = request.param()
    assert len(samples) >= 60
    assert {sample.score["mode"] for sample in samples} == {0, 1, 2, 3, 4, 5, 6, 8}
    return samples


@pytest.fixture(scope="module")
def folder(world: list[Sample], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the .osr files of the world."""
    folder = tmp_path_factory.mktemp("replays")
    for sample in world:
        Path(folder, f"{sample.score['id']}.osr").write_bytes(sample.whole)
    return folder


def agree(sample: Sample, fields: Row) -> None:
    row = sample.fields()
    assert fields == {name: row[name] for name in fields}


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        pytest.param(in_python.with_osrparse, in_python.frames_of_osrparse, id="osrparse"),
        pytest.param(in_python.with_osupyparser, in_python.frames_of_osupyparser, id="osupyparser"),
        pytest.param(in_python.with_slider, in_python.frames_of_slider, id="slider"),
    ],
)
def test_reader_in_python(world: list[Sample], read: Callable[[bytes], Parsed], expected: ExpectedFrames) -> None:
    for sample in world:
        fields, frames = read(sample.whole)
        agree(sample, fields)
        assert frames == expected(sample.score["mode"] % 4, sample.frames())


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        pytest.param(isolated.circleguard, isolated.frames_of_circleguard, id="circleguard"),
        pytest.param(isolated.osu_parsers, isolated.frames_of_osu_parsers, id="osu-parsers"),
    ],
)
def test_isolated_reader(
    pytestconfig: pytest.Config,
    world: list[Sample],
    folder: Path,
    read: Callable[[pytest.Cache, Path], list[Row]],
    expected: ExpectedFrames,
) -> None:
    assert pytestconfig.cache is not None
    replays = {replay["fields"]["score_id"]: replay for replay in read(pytestconfig.cache, folder)}
    assert len(replays) == len(world)
    for sample in world:
        replay = replays[sample.score["id"]]
        frames = sample.frames()
        agree(sample, replay["fields"])
        assert replay["frames"] == expected(sample.score["mode"] % 4, frames)
        assert replay.get("seed") in (None, frames[-1][3])
