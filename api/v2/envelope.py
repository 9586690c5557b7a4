"""The envelope of version 2: data and metadata. Pages of lists."""

from typing import Any, Generic, TypeVar

import msgspec

from api.request.params import PageNumber, PageSize
from api.response.encoded import Success
from api.services import Services
from storage.cache.pagination import PageRequest
from storage.database.catalogue import Total
from storage.database.database import Query
from storage.database.statement import Value

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


# A subclass with filters is not keyword-only, because keyword-only fields come last: `page` and `page_size` follow
# the filters in the documentation and among invalid parameters. A docstring here would be shown there for every
# subclass without one.
class PageParams(msgspec.Struct, frozen=True, kw_only=True):
    page: PageNumber = 1
    page_size: PageSize = 50

    @property
    def request(self) -> PageRequest:
        """The page as the reads take it."""
        return PageRequest(self.page, self.page_size)

    def filters(self) -> dict[str, Any]:
        """Return the other parameters by name."""
        own = PageParams.__struct_fields__
        return {name: value for name, value in msgspec.structs.asdict(self).items() if name not in own}


async def read_page(
    services: Services, query: Query[T], count: Query[Total], params: PageParams, **values: Value
) -> Page[T]:
    """Return a page of the rows that match the filters in `params`. `values` are what the queries bind besides."""
    request = params.request
    rows, total = await services.pagination.read(query, count, request, **params.filters(), **values)
    return page_of(rows, total, request)


def page_of(rows: list[T], total: int, request: PageRequest) -> Page[T]:
    """Return the requested page with these rows, out of a list of `total` rows."""
    return Page(data=rows, meta=PageMeta(total=total, page=request.page, page_size=request.size))


class ListMeta(msgspec.Struct, frozen=True, kw_only=True):
    """The number of rows in this response."""

    total: int
