"""The .osr format: writing it as the contract says, and reading it. Any bytes give a value or a clear error."""

import hashlib
import struct
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from replays.binary import BadReplay, Truncated
from replays.osr import Replay, header, parse, ticks, trailer
from tests.support import conformance
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

TARGET_PRACTICE = 1 << 23
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
INT32 = st.integers(-(2**31), 2**31 - 1)
INT64 = st.integers(-(2**63), 2**63 - 1)
UINT16 = st.integers(0, 2**16 - 1)


def whole(replay: Replay, frames: bytes = FRAMES) -> bytes:
    return header(replay, len(frames)) + frames + trailer(replay)


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
    replay = Replay.of(**ROW)
    data = whole(replay)
    assert replay.replay_md5 == "10d4a71bd2b6874bea3e285dbdf74f90"
    assert replay.played_at == 637765253530000000
    assert (len(data), data[:8].hex(), sha256(data)) == (146, "000f3b34010b2034", SHA256)


def test_the_worked_example_with_the_null_life_bar() -> None:
    head = header(Replay.of(**ROW), len(FRAMES))
    life_bar = len(head) - struct.calcsize("<qi") - 2
    assert head[life_bar : life_bar + 2] == b"\x0b\x00"
    data = head[:life_bar] + b"\x00" + head[life_bar + 2 :] + FRAMES + trailer(Replay.of(**ROW))
    assert sha256(data) == SHA256_NULL_LIFE_BAR
    assert parse(data) == (Replay.of(**ROW), FRAMES)
    by_the_game_server = data.replace(b"10d4a71bd2b6874bea3e285dbdf74f90", b"723fc78e57e384a33a576d8ba81cfe78")
    assert Replay.of(**ROW | {"grade": "0"}).replay_md5 == "723fc78e57e384a33a576d8ba81cfe78"
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


@given(replays(), st.binary())
def test_what_is_written_is_read_back(replay: Replay, frames: bytes) -> None:
    assert parse(whole(replay, frames)) == (replay, frames)


@given(replays(), st.binary(max_size=20))
def test_what_newer_clients_append_is_not_read(replay: Replay, more: bytes) -> None:
    assert parse(whole(replay) + more) == (replay, FRAMES)


@given(replays(), st.data())
def test_every_cut_is_noticed(replay: Replay, data: st.DataObject) -> None:
    file = whole(replay)
    cut = data.draw(st.integers(0, len(file) - 1))
    with pytest.raises(Truncated) as error:
        parse(file[:cut])
    assert cut < error.value.needed <= len(file)


@settings(max_examples=500)
@given(st.binary())
@example(b"\x00" * 5 + b"\x0b" + b"\xff" * 12)
@example(b"\x00" * 5 + b"\x0b\x01\xff")
@example(b"\x00" * 40 + b"\xff\xff\xff\xff")
@example(b"\x00" * 30 + b"\x80" + b"\x00" * 22)
def test_any_bytes(data: bytes) -> None:
    for bytes_ in (data, b"\x00\x0f\x3b\x34\x01" + data):
        try:
            file = whole(*parse(bytes_))
        except BadReplay:
            continue
        assert whole(*parse(file)) == file


@given(replays(), st.data())
def test_any_byte_changed(replay: Replay, data: st.DataObject) -> None:
    file = bytearray(whole(replay))
    file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    with suppress(BadReplay):
        parse(bytes(file))


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (b"\x04" + b"\x00" * 60, "There is no mode 4."),
        (b"\x00" * 5 + b"\x0c" + b"\x00" * 60, "No string begins with the byte 0c, at 5."),
        (b"\x00" * 5 + b"\x0b\x02\xc3\x28" + b"\x00" * 60, "The string before 9 is not UTF-8."),
        (b"\x00" * 5 + b"\x0b" + b"\x80" * 60, "The length of the string before 11 has more than 32 bits."),
        (b"\x00" * 40 + b"\xff" * 4, "Frames cannot have -1 bytes."),
        (b"\x00" * 43, "Cut short: the replay has at least 44 bytes."),
    ],
)
def test_error_messages(file: bytes, says: str) -> None:
    with pytest.raises(BadReplay) as error:
        parse(file)
    assert str(error.value) == says


@pytest.mark.parametrize(("mode", "vanilla"), [(0, 0), (3, 3), (4, 0), (5, 1), (6, 2), (8, 0), (11, 3)])
def test_the_mode_is_written_without_relax_and_autopilot(mode: int, vanilla: int) -> None:
    assert Replay.of(**ROW | {"mode": mode}).mode == vanilla


@given(st.fixed_dictionaries({k: st.integers() for k, v in ROW.items() if type(v) is int}), st.text())
def test_any_row_can_be_written(numbers: dict[str, int], name: str) -> None:
    replay = Replay.of(**ROW | numbers | {"player_name": name})
    read, _ = parse(whole(replay))
    assert read == msgspec.structs.replace(replay, player_name=name.encode(errors="replace").decode())
    for field, number in numbers.items():
        written = getattr(read, field)
        assert written == number or field == "mode" or abs(written) < abs(number) or written == 0


def test_counts_are_clamped_to_their_field() -> None:
    replay = Replay.of(**ROW | {"n300": 40000, "max_combo": 70000, "n50": -1})
    assert (replay.n300, replay.max_combo, replay.n50) == (40000, 65535, 0)


def test_target_practice() -> None:
    replay = Replay.of(**ROW | {"mods": TARGET_PRACTICE})
    assert replay.target_accuracy == 0.0
    assert trailer(msgspec.structs.replace(replay, target_accuracy=0.5)) == struct.pack("<qd", 1, 0.5)
    assert trailer(msgspec.structs.replace(replay, target_accuracy=None)) == struct.pack("<qd", 1, 0.0)


@pytest.mark.parametrize(
    ("version", "trail"), [(20121007, b""), (20121008, b"\1\0\0\0"), (20140721, b"\1\0\0\0\0\0\0\0")]
)
def test_the_score_id_of_old_versions(version: int, trail: bytes) -> None:
    replay = msgspec.structs.replace(Replay.of(**ROW), game_version=version)
    assert trailer(replay) == trail
    assert parse(whole(replay))[0].score_id == (1 if trail else 0)


@pytest.mark.parametrize("length", [-1, 2**31])
def test_frames_too_long_for_a_file(length: int) -> None:
    with pytest.raises(BadReplay, match="fit no"):
        header(Replay.of(**ROW), length)


@given(st.datetimes(), st.timedeltas(timedelta(hours=-23), timedelta(hours=23)))
def test_ticks(moment: datetime, offset: timedelta) -> None:
    assert datetime.min + timedelta(microseconds=ticks(moment) // 10) == moment
    assert ticks(moment) == ticks(moment.replace(tzinfo=UTC))
    elsewhere = moment.replace(tzinfo=timezone(offset))
    assert ticks(moment) - ticks(elsewhere) == offset // timedelta(microseconds=1) * 10
