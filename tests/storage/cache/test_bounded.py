"""BoundedMap keeps the newest entries, by number or by weight."""

from storage.cache.bounded import BoundedMap


def test_the_oldest_entries_are_dropped() -> None:
    numbers: BoundedMap[str, int] = BoundedMap(2)
    for key, value in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        numbers.put(key, value)
    assert [numbers.get(key) for key in "abc"] == [3, None, 4]
    assert (len(numbers), numbers.weight) == (2, 2)


def test_weights_are_added_up() -> None:
    texts: BoundedMap[int, str] = BoundedMap(10, weigh=len)
    texts.put(1, "12345")
    texts.put(2, "123")
    texts.put(1, "1234567")
    assert (texts.get(1), texts.get(2), texts.weight) == ("1234567", "123", 10)
    texts.put(3, "1")
    assert (texts.get(2), texts.weight) == (None, 8)
    assert (texts.pop(1), texts.pop(1), texts.weight) == ("1234567", None, 1)


def test_an_entry_above_the_bound_is_not_stored_and_drops_no_others() -> None:
    texts: BoundedMap[int, str] = BoundedMap(3, weigh=len)
    texts.put(1, "ab")
    texts.put(2, "abcd")
    assert (texts.get(1), texts.get(2), texts.weight) == ("ab", None, 2)
    texts.put(1, "abcd")
    assert (len(texts), texts.weight) == (0, 0)
