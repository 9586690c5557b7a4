"""Finding the frames in a stored file, and counting them. Any bytes give a value or a clear error."""

import asyncio
import lzma
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import suppress

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from replays.errors import BadReplay, Truncated
from replays.frames import FRAME_LIMIT, HEAD_LIMIT, NeedMore, Stored, check_frames, locate
from tests.replays.test_osr import FRAMES, ROW, replays
from tests.support.osr import Replay, header, parse, whole, written
from tests.support.replay_samples import recorded

REPLAY, _ = parse(written(FRAMES, **ROW))
TEXT = b"0|256|-500|0,-1|256|-500|0,-900|1|2|0,16|1.5|2.5|1,17|1.5E-05|3|5,-12345|0|0|77,"


def compressed(text: bytes, **options: int) -> bytes:
    filters = [{"id": lzma.FILTER_LZMA1, "preset": 1, **options}]
    return lzma.compress(text, lzma.FORMAT_ALONE, filters=filters)


def check(chunks: list[bytes]) -> None:
    async def stream() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    asyncio.run(check_frames(stream()))


def found(file: bytes, first: int) -> Stored:
    """Locate the frames as the service does: more of the file is read only if it is needed."""
    answer = locate(file[:first], len(file))
    while isinstance(answer, NeedMore):
        assert first < answer.head <= min(len(file), HEAD_LIMIT)
        first = answer.head
        answer = locate(file[:first], len(file))
    return answer


def test_recorded_replays_are_bare_and_become_whole() -> None:
    for sample in recorded():
        size = len(sample.stored)
        assert locate(sample.stored[:65536], size) == Stored(offset=0, length=size)
        offset = sample.whole.index(sample.stored)
        stored = locate(sample.whole[:65536], len(sample.whole))
        assert isinstance(stored, Stored)
        assert (stored.kind, stored.offset, stored.length) == ("whole", offset, size)


@given(replays(), st.binary(), st.integers(0, 100))
def test_a_whole_file(replay: Replay, frames: bytes, first: int) -> None:
    offset = len(header(replay, len(frames)))
    stored = found(whole(replay, frames), first)
    assert (stored.kind, stored.offset, stored.length) == ("whole", offset, len(frames))


@given(st.sampled_from([b"", TEXT]), st.integers(0, 4), st.integers(0, 4), st.integers(0, 4), st.integers(0, 30))
def test_a_bare_file(text: bytes, lc: int, lp: int, pb: int, first: int) -> None:
    file = compressed(text, lc=lc, lp=min(lp, 4 - lc), pb=pb)
    for form in (file, file[:5] + len(text).to_bytes(8, "little") + file[13:]):
        assert found(form, first) == Stored(offset=0, length=len(form))


def test_a_whole_file_with_a_long_life_bar() -> None:
    for length in (100_000, 2_000_000, HEAD_LIMIT - 200):
        file = whole(msgspec.structs.replace(REPLAY, life_bar="1" * length), FRAMES)
        assert found(file, 65536).length == len(FRAMES)


def test_a_life_bar_that_is_too_long() -> None:
    file = whole(msgspec.structs.replace(REPLAY, life_bar="1" * HEAD_LIMIT), FRAMES)
    with pytest.raises(BadReplay, match="The header has at least"):
        found(file, 65536)


@pytest.mark.parametrize("size", [0, 1, 17])
def test_a_file_that_is_too_short(size: int) -> None:
    with pytest.raises(Truncated):
        locate(compressed(TEXT)[:size], size)


def test_a_whole_file_cut_in_its_frames_or_before() -> None:
    file, end = whole(REPLAY, FRAMES), len(header(REPLAY, 0)) + len(FRAMES)
    for size in range(end):
        with pytest.raises(Truncated):
            locate(file[:size], size)
    assert found(file[:end], end).length == len(FRAMES)


@pytest.mark.parametrize("file", [b"<html>" * 10, b"PK\x03\x04" * 10, FRAMES, b"\xff" * 40, b"\x5d" * 40])
def test_a_file_that_is_not_a_replay(file: bytes) -> None:
    with pytest.raises(BadReplay):
        locate(file, len(file))


@settings(max_examples=500)
@given(st.binary(), st.integers(0, 2**70))
def test_any_head_and_size(head: bytes, size: int) -> None:
    for start in (b"", b"\x5d\0\0\x20\0", b"\x00\x0f\x3b\x34\x01"):
        with suppress(BadReplay):
            answer = locate(start + head, size)
            if isinstance(answer, NeedMore):
                assert len(start + head) < answer.head <= min(size, HEAD_LIMIT)
            else:
                assert 0 <= answer.offset <= answer.offset + answer.length <= size


@pytest.mark.parametrize("text", [TEXT, TEXT[:-1], TEXT[: TEXT.index(b"-12345")]])
def test_frames_with_and_without_a_seed_and_a_last_comma(text: bytes) -> None:
    check([compressed(text)])


def test_the_frames_of_recorded_replays() -> None:
    for sample in recorded()[:10]:
        check([sample.stored])


@given(st.integers(1, 50), st.binary(max_size=20))
def test_the_size_of_the_chunks_and_bytes_after_the_end_do_not_matter(size: int, rest: bytes) -> None:
    stream = compressed(TEXT * 50) + rest
    pieces = [stream[i : i + size] for i in range(0, len(stream), size)]
    check(pieces)


@given(st.data())
def test_a_stream_cut_short(data: st.DataObject) -> None:
    stream = compressed(TEXT * 20)
    with pytest.raises(Truncated):
        check([stream[: data.draw(st.integers(0, len(stream) - 1))]])


@given(st.data(), st.binary(min_size=1, max_size=8))
def test_a_stream_changed(data: st.DataObject, change: bytes) -> None:
    stream = compressed(TEXT * 20)
    at = data.draw(st.integers(0, len(stream)))
    with suppress(BadReplay):
        check([stream[:at] + change + stream[at + len(change) :]])


@given(st.lists(st.binary()))
@example([b"\x5d" + b"\xff" * 12 + b"\0" * 20])
def test_any_stream(pieces: list[bytes]) -> None:
    with suppress(BadReplay):
        check(pieces)


@given(st.text(",|-.0123456789eE_ \xe9", max_size=40))
@example("1|2|3|4," + "9" * 5000 + "|0|0|0,")
def test_any_text(text: str) -> None:
    with suppress(BadReplay):
        check([compressed(text.encode("latin-1"))])


@pytest.mark.parametrize(
    "text", [b"x", b",", b"1|2|3", b"1|2|3|4|5", b"1.5|2|3|4", b"\r\n1|-2e1|.5|4", b"\xff", b"-12345|0|0|x"]
)
def test_what_the_game_reads_or_ignores(text: bytes) -> None:
    check([compressed(text + b",1|2|3|4,")])
    check([compressed(b"1|2|3|4," + text)])


@pytest.mark.parametrize("text", [b"1|x|3|4", b"\xff|2|3|4", b"|2|3|4", b"1|nan|3|4", b"1_0|2|3|4", b"1|2|3|4.5"])
def test_frames_that_the_game_cannot_read(text: bytes) -> None:
    with pytest.raises(BadReplay, match="is no frame"):
        check([compressed(text + b",1|2|3|4,")])


@pytest.mark.parametrize("text", [b"", b",,", b"1|2|3,\r\n", b"-12345|0|0|7,"])
def test_text_without_frames(text: bytes) -> None:
    with pytest.raises(BadReplay, match="It has no frames"):
        check([compressed(text)])


def test_a_small_file_that_decompresses_to_a_huge_one_takes_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("replays.frames.TEXT_LIMIT", 100_000)
    endless_frame, endless_frames = compressed(b"1" * 2**25), compressed(b"1|2|3|4," * 2**18)
    tracemalloc.start()
    with pytest.raises(BadReplay, match=f"A frame has more than {FRAME_LIMIT} bytes"):
        check([endless_frame])
    with pytest.raises(BadReplay, match="The frames have more than 100000 bytes of text"):
        check([endless_frames])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**24


def test_a_dictionary_that_is_too_large() -> None:
    stream = compressed(TEXT)
    with pytest.raises(BadReplay, match="Memory usage limit"):
        check([stream[:1] + (2**31).to_bytes(4, "little") + stream[5:]])
