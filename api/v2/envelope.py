"""What is around every answer of the second version."""

from typing import Generic, TypeVar

import msgspec

from api.response.encoded import Success
from storage.cache.pagination import PageRequest

T = TypeVar("T")


class NoMeta(msgspec.Struct, frozen=True):
    """Nothing to say about a single thing."""


class Item(Success, Generic[T], frozen=True, kw_only=True):
    """One thing."""

    data: T
    meta: NoMeta = NoMeta()


class PageMeta(msgspec.Struct, frozen=True, kw_only=True):
    """Which page of a list this is; `total` counts the rows of all pages."""

    total: int
    page: int
    page_size: int


class Page(Success, Generic[T], frozen=True, kw_only=True):
    """A page of a list."""

    data: list[T]
    meta: PageMeta


def page_of(rows: list[T], total: int, place: PageRequest) -> Page[T]:
    """The page at `place` with its rows, in a list of `total` rows."""
    return Page(data=rows, meta=PageMeta(total=total, page=place.page, page_size=place.size))


class ListMeta(msgspec.Struct, frozen=True, kw_only=True):
    """`total` is how many are listed."""

    total: int
