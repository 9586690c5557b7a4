"""The .osr format: writing it as the contract says, and reading it. Any bytes give a value or a clear error."""

import hashlib
import struct
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from replays.errors import BadReplay, Truncated
from replays.osr import Reader, frames_length, read_header, ticks
from tests.support import conformance
from tests.support.osr import TARGET_PRACTICE, Replay, parse, whole, written
from tests.support.replay_samples import recorded

# The worked example of contract.md section 6.
ROW: dict[str, Any] = {
    "score_id": 1,
    "mode": 0,
    "beatmap_md5": "4a4bc3bdb6d951512db592994b08cfc7",
    "player_name": "User One",
    "n300": 108,
    "n100": 7,
    "n50": 0,
    "ngeki": 41,
    "nkatu": 5,
    "nmiss": 1,
    "score": 517771,
    "max_combo": 144,
    "perfect": False,
    "mods": 72,
    "grade": "A",
    "played_at": datetime(2021, 12, 31, 5, 29, 13),
}
FRAMES = b"LZMADATA0123456789"
SHA256 = "8c0d0212116cb36cae99fb5e22c903570d880137477ac74587bb688f817bc72e"
SHA256_NULL_LIFE_BAR = "feaeb19e4520575b8cc050bd17ba502ce272c00f21ec74ab98098dbebf3b38cb"
SHA256_OF_THE_GAME_SERVER = "6f15ce1887078396fa64cd1e06755a0b4270807700c05b3c12e9946cd462b8fa"

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
INT32 = st.integers(-(2**31), 2**31 - 1)
INT64 = st.integers(-(2**63), 2**63 - 1)
UINT16 = st.integers(0, 2**16 - 1)


def read_back(**changes: Any) -> Replay:
    """Return what a file of ROW with these changes says."""
    replay, frames = parse(written(FRAMES, **ROW | changes))
    assert frames == FRAMES
    return replay


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@st.composite
def replays(draw: st.DrawFn) -> Replay:
    """Any header that the format can hold."""
    version = draw(INT32 | st.sampled_from([20121007, 20121008, 20140720, 20140721]))
    mods = draw(INT32)
    score_id = INT64 if version >= 20140721 else INT32 if version >= 20121008 else st.just(0)
    counts = {name: draw(UINT16) for name in ("n300", "n100", "n50", "ngeki", "nkatu", "nmiss", "max_combo")}
    return Replay(
        mode=draw(st.integers(0, 3)),
        game_version=version,
        beatmap_md5=draw(TEXT),
        player_name=draw(TEXT),
        replay_md5=draw(TEXT),
        score=draw(INT32),
        perfect=draw(st.booleans()),
        mods=mods,
        life_bar=draw(TEXT),
        played_at=draw(INT64),
        score_id=draw(score_id),
        target_accuracy=draw(st.floats(allow_nan=False)) if mods & TARGET_PRACTICE else None,
        **counts,
    )


def test_the_worked_example() -> None:
    replay, data = read_back(), written(FRAMES, **ROW)
    assert replay.replay_md5 == "10d4a71bd2b6874bea3e285dbdf74f90"
    assert replay.played_at == 637765253530000000
    assert (len(data), data[:8].hex(), sha256(data)) == (146, "000f3b34010b2034", SHA256)


def test_the_worked_example_with_the_null_life_bar() -> None:
    data = written(FRAMES, **ROW)
    life_bar = data.index(FRAMES) - struct.calcsize("<qi") - 2
    assert data[life_bar : life_bar + 2] == b"\x0b\x00"
    data = data[:life_bar] + b"\x00" + data[life_bar + 2 :]
    assert sha256(data) == SHA256_NULL_LIFE_BAR
    assert parse(data) == (read_back(), FRAMES)
    by_the_game_server = data.replace(b"10d4a71bd2b6874bea3e285dbdf74f90", b"723fc78e57e384a33a576d8ba81cfe78")
    assert read_back(grade="0").replay_md5 == "723fc78e57e384a33a576d8ba81cfe78"
    assert sha256(by_the_game_server) == SHA256_OF_THE_GAME_SERVER


def test_recorded_responses() -> None:
    files = {str(sample.score["id"]): sample.whole for sample in recorded()}
    tried = 0
    for case in conformance.cases():
        query = parse_qs(urlsplit(case["path"]).query)
        if "sha256" in case["expect"] and query.get("include_headers", ["true"])[0] in ("true", "1"):
            data = files[query["id"][0]]
            assert (len(data), sha256(data)) == (case["expect"]["length"], case["expect"]["sha256"])
            tried += 1
    assert tried >= 10


def header_of(file: bytes) -> tuple[int, int]:
    """Return where the frames are: their offset and their length."""
    reader = Reader(file)
    length = read_header(reader).length
    return reader.at, length


@given(replays(), st.binary())
def test_the_header_of_any_file_is_read(replay: Replay, frames: bytes) -> None:
    file = whole(replay, frames)
    at, length = header_of(file)
    assert file[at : at + length] == frames
    assert parse(file) == (replay, frames)


@given(replays(), st.data())
def test_every_cut_of_the_header_is_noticed(replay: Replay, data: st.DataObject) -> None:
    file = whole(replay, FRAMES)
    at, _ = header_of(file)
    cut = data.draw(st.integers(0, at - 1))
    with pytest.raises(Truncated) as error:
        header_of(file[:cut])
    assert cut < error.value.needed <= at


@settings(max_examples=500)
@given(st.binary())
@example(b"\x00" * 5 + b"\x0b" + b"\xff" * 12)
@example(b"\x00" * 5 + b"\x0b\x01\xff")
@example(b"\x00" * 40 + b"\xff\xff\xff\xff")
@example(b"\x00" * 30 + b"\x80" + b"\x00" * 22)
def test_any_bytes(data: bytes) -> None:
    for file in (data, b"\x00\x0f\x3b\x34\x01" + data):
        with suppress(BadReplay):
            at, length = header_of(file)
            assert 0 <= at <= len(file)
            assert length >= 0


@given(replays(), st.data())
def test_any_byte_changed(replay: Replay, data: st.DataObject) -> None:
    file = bytearray(whole(replay, FRAMES))
    file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    with suppress(BadReplay):
        header_of(bytes(file))


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (b"\x09" + b"\x00" * 60, "There is no mode 9."),
        (b"\x00" * 5 + b"\x0c" + b"\x00" * 60, "No string begins with the byte 0c, at 5."),
        (b"\x00" * 5 + b"\x0b\x02\xc3\x28" + b"\x00" * 60, "The string before 9 is not UTF-8."),
        (b"\x00" * 5 + b"\x0b" + b"\x80" * 60, "The length of the string before 11 has more than 32 bits."),
        (b"\x00" * 43, "Cut short: the replay has at least 44 bytes."),
    ],
)
def test_error_messages(file: bytes, says: str) -> None:
    with pytest.raises(BadReplay) as error:
        header_of(file)
    assert str(error.value) == says


@pytest.mark.parametrize(("mode", "vanilla"), [(0, 0), (3, 3), (4, 0), (5, 1), (6, 2), (8, 0), (11, 3)])
def test_the_mode_is_written_without_relax_and_autopilot(mode: int, vanilla: int) -> None:
    assert read_back(mode=mode).mode == vanilla


@given(st.fixed_dictionaries({k: st.integers() for k, v in ROW.items() if type(v) is int}), INT64, st.text())
def test_any_row_can_be_written(numbers: dict[str, int], score_id: int, name: str) -> None:
    numbers["score_id"] = score_id
    read = read_back(**numbers, player_name=name)
    assert read.player_name == name.encode(errors="replace").decode()
    for field, number in numbers.items():
        written = getattr(read, field)
        assert written == number or field == "mode" or abs(written) < abs(number) or written == 0


def test_counts_are_clamped_to_their_field() -> None:
    replay = read_back(n300=40000, max_combo=70000, n50=-1)
    assert (replay.n300, replay.max_combo, replay.n50) == (40000, 65535, 0)


def test_target_practice() -> None:
    assert read_back(mods=TARGET_PRACTICE).target_accuracy == 0.0


def test_a_score_without_a_time() -> None:
    assert read_back(played_at=None).played_at == 0


def test_frames_too_long_for_a_file() -> None:
    assert frames_length(2**31 - 1) == b"\xff\xff\xff\x7f"
    with pytest.raises(BadReplay, match="fit no"):
        frames_length(2**31)


@given(st.datetimes(), st.timedeltas(timedelta(hours=-23), timedelta(hours=23)))
def test_ticks(moment: datetime, offset: timedelta) -> None:
    assert datetime.min + timedelta(microseconds=ticks(moment, UTC) // 10) == moment
    assert ticks(moment, UTC) == ticks(moment.replace(tzinfo=UTC))
    elsewhere = timezone(offset)
    assert ticks(moment, UTC) - ticks(moment, elsewhere) == offset // timedelta(microseconds=1) * 10


@pytest.mark.parametrize("moment", [datetime.min, datetime(1969, 12, 31), datetime(2023, 4, 13), datetime.max])
def test_ticks_in_the_zone_of_this_machine(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    for zone in ("Asia/Tokyo", "America/New_York", "UTC"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        # The system may know no offset at the ends of the calendar, and history may differ by some minutes.
        assert abs(ticks(moment) - ticks(moment, ZoneInfo(zone))) < 15 * 3600 * 10**7
        if moment.year == 2023:
            assert ticks(moment) == ticks(moment, ZoneInfo(zone))
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("moment", "utc"),
    [
        (datetime(2023, 4, 13, 0, 34, 48), datetime(2023, 4, 12, 22, 34, 48)),
        # One that occurs twice, and one that never does.
        (datetime(2023, 10, 29, 2, 30), datetime(2023, 10, 29, 0, 30)),
        (datetime(2023, 3, 26, 2, 30), datetime(2023, 3, 26, 1, 30)),
    ],
)
def test_ticks_in_a_zone_with_summer_time(moment: datetime, utc: datetime) -> None:
    assert ticks(moment, ZoneInfo("Europe/Berlin")) == ticks(utc, UTC)
