"""Rows of a result, as the nested mappings that Structs are made from."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any


class Shape:
    """What becomes of a row with these columns: a mapping, where a column named `clan__id` becomes `clan.id`.

    A group whose columns are all NULL, as of a LEFT JOIN that found nothing, becomes None.
    """

    def __init__(self, names: Sequence[str], places: Sequence[int] | None = None) -> None:
        """`places` are those of the columns in the row, where they are not the first ones."""
        self.names = tuple(names)
        own: dict[str, int] = {}
        groups: dict[str, dict[str, int]] = {}
        for name, place in zip(names, range(len(names)) if places is None else places, strict=True):
            group, separator, column = name.partition("__")
            if separator:
                groups.setdefault(group, {})[column] = place
            else:
                own[name] = place
        self._columns = tuple(own)
        self._places = tuple(own.values())
        self._flat = places is None and not groups
        self._pick = itemgetter(*self._places) if len(own) > 1 else self._few
        self._groups = [(name, Shape(tuple(group), tuple(group.values()))) for name, group in groups.items()]

    def read(self, rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
        """Each of the rows as a mapping."""
        if self._flat:
            return [dict(zip(self._columns, row, strict=True)) for row in rows]
        return [self._mapping(row) or {} for row in rows]

    def _few(self, row: Sequence[Any]) -> tuple[Any, ...]:
        # With one name itemgetter gives no tuple, and without any it cannot be made.
        return tuple(row[place] for place in self._places)

    def _mapping(self, row: Sequence[Any]) -> dict[str, Any] | None:
        picked = self._pick(row)
        values = dict(zip(self._columns, picked, strict=True))
        empty = all(value is None for value in picked)
        for name, group in self._groups:
            values[name] = found = group._mapping(row)
            empty = empty and found is None
        return None if empty else values
