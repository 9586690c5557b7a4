"""The envelope of version 2: data and metadata."""

from typing import Generic, TypeVar

import msgspec

from api.response.encoded import Success
from storage.cache.pagination import PageRequest

T = TypeVar("T")


class NoMeta(msgspec.Struct, frozen=True):
    """Always empty."""


class Item(Success, Generic[T], frozen=True, kw_only=True):
    """A single object."""

    data: T
    meta: NoMeta = NoMeta()


class PageMeta(msgspec.Struct, frozen=True, kw_only=True):
    """The page, and the number of rows on all pages (`total`), which is counted at most once a minute."""

    total: int
    page: int
    page_size: int


class Page(Success, Generic[T], frozen=True, kw_only=True):
    """A page of a list."""

    data: list[T]
    meta: PageMeta


def page_of(rows: list[T], total: int, request: PageRequest) -> Page[T]:
    """Return the requested page with these rows, out of a list of `total` rows."""
    return Page(data=rows, meta=PageMeta(total=total, page=request.page, page_size=request.size))


class ListMeta(msgspec.Struct, frozen=True, kw_only=True):
    """The number of rows in this response."""

    total: int
