"""Rows of a result, as the nested mappings that Structs are made from."""

from collections.abc import Sequence
from typing import Any


def nested(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    """Each row as a mapping; a column named `clan__id` becomes `clan.id`.

    A group whose columns are all NULL, as of a LEFT JOIN that found nothing, becomes None.
    """
    if not any("__" in name for name in names):
        return [dict(zip(names, row, strict=True)) for row in rows]
    tree = _tree(names)
    return [_group(tree, row) or {} for row in rows]


def _tree(names: Sequence[str]) -> dict[str, Any]:
    """The columns' places: a name leads to its index, or to the tree of its group."""
    tree: dict[str, Any] = {}
    for index, name in enumerate(names):
        *groups, column = name.split("__")
        branch = tree
        for group in groups:
            branch = branch.setdefault(group, {})
        branch[column] = index
    return tree


def _group(tree: dict[str, Any], row: Sequence[Any]) -> dict[str, Any] | None:
    values = {name: row[place] if isinstance(place, int) else _group(place, row) for name, place in tree.items()}
    return values if any(value is not None for value in values.values()) else None
