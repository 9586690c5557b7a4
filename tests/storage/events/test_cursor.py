"""Which scores have been told: the text of a cursor, and the ids that are watched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.events.cursor import MAX_OPEN, NAMED, Cursor, Progress


@pytest.mark.parametrize("text", ["", "x", "-1", "1.", ".1", "1..2", "1 ", "1\n", "１", "1" * 19, "9" + ".1" * 65])
def test_what_is_no_cursor(text: str) -> None:
    with pytest.raises(ValueError, match="not a cursor"):
        Cursor.parse(text)


def test_a_cursor_names_the_ids_below_it_that_are_open() -> None:
    cursor = Cursor.parse("2999986.2999981.2999984.2999986.3000000")
    assert cursor == Cursor(2999986, frozenset({2999981, 2999984}))
    assert str(cursor) == "2999986.2999984.2999981"
    assert [id in cursor for id in (1, 2999981, 2999985, 2999986, 2999987)] == [True, False, True, True, False]


def test_of_many_open_ids_the_highest_are_named() -> None:
    text = str(Cursor(10_000, frozenset(range(9_000, 10_000))))
    assert text == ".".join(map(str, [10_000, *range(9_999, 9_999 - NAMED, -1)]))
    assert len(Cursor.parse(text).open) == NAMED


@given(st.lists(st.integers(1, 60), unique=True))
def test_progress_has_what_was_added(ids: list[int]) -> None:
    progress = Progress(0)
    for id in ids:
        progress.add(id, 0)
    assert {id for id in range(1, 70) if id in progress} == set(ids)
    assert Cursor.parse(str(progress.cursor)) == progress.cursor
    progress.give_up(missed_before=1)
    assert progress.cursor == Cursor(max(ids, default=0))


def test_a_thousand_ids_are_watched() -> None:
    progress = Progress(0)
    progress.add(5, 0)
    progress.add(10**12, 1)
    assert list(progress.open) == list(range(10**12 - MAX_OPEN, 10**12))
    progress.add(10**12 + 3, 2)
    assert list(progress.open) == [*range(10**12 - MAX_OPEN + 2, 10**12), 10**12 + 1, 10**12 + 2]
    progress.give_up(missed_before=2)
    assert progress.cursor == Cursor(10**12 + 3, frozenset({10**12 + 1, 10**12 + 2}))
