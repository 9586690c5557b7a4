"""Turns the rows of a result into the nested mappings that Structs are converted from."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any


class RowShape:
    """The columns of a result, and the mapping that each of its rows becomes.

    A column named `clan__id` becomes `clan.id`. A group whose columns are all NULL, as from a LEFT JOIN that
    matched nothing, becomes None.
    """

    def __init__(
        self,
        names: Sequence[str],
        positions: Sequence[int] | None = None,
        types: Sequence[type] | None = None,
    ) -> None:
        """`positions` are the indexes of the columns in the row, by default 0, 1, 2, …

        `types` are those of the columns' values, None if they may differ from row to row, as in SQLite.
        """
        self.names = list(names)
        self.types = dict(zip(names, types, strict=True)) if types else {}
        # By Struct: whether the columns have the types of its fields. See conversion.py.
        self.fits: dict[type, bool] = {}
        columns: dict[str, int] = {}
        groups: dict[str, dict[str, int]] = {}
        for name, position in zip(names, positions or range(len(names)), strict=True):
            group, separator, column = name.partition("__")
            if separator:
                groups.setdefault(group, {})[column] = position
            else:
                columns[name] = position
        self._keys = tuple(columns)
        self._positions = tuple(columns.values())
        # itemgetter returns a tuple only if it is given at least two positions.
        self._pick = itemgetter(*self._positions) if len(columns) > 1 else self._pick_few
        self._groups = [(name, RowShape(list(group), list(group.values()))) for name, group in groups.items()]

    def mappings(self, rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
        """Return a mapping for each row."""
        if not self._groups:
            return [dict(zip(self._keys, row, strict=True)) for row in rows]
        return [self._mapping(row) or {} for row in rows]

    def _pick_few(self, row: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(row[position] for position in self._positions)

    def _mapping(self, row: Sequence[Any]) -> dict[str, Any] | None:
        picked = self._pick(row)
        mapping = dict(zip(self._keys, picked, strict=True))
        empty = all(value is None for value in picked)
        for name, group in self._groups:
            mapping[name] = nested = group._mapping(row)
            empty = empty and nested is None
        return None if empty else mapping
