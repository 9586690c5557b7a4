"""The envelope of version 2: data and metadata. Pages of lists."""

from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta

from api.request.params import PageNumber, PageSize
from api.response.encoded import Success
from api.services import Services
from domain.units import InResponse, Int32, PageTotal
from storage.cache.pagination import PageRequest
from storage.database.catalogue import Total
from storage.database.database import Query
from storage.database.statement import Value

T = TypeVar("T")

META = Meta(description="Metadata of the response.")
CurrentPage = Annotated[int, Meta(description="Number of the page, from 1.")]
CurrentSize = Annotated[Int32, Meta(description="Maximum number of rows on the page.")]


class NoMeta(msgspec.Struct, frozen=True):
    """Always empty."""


class Item(Success, Generic[T], frozen=True, kw_only=True):
    """A single object."""

    data: Annotated[T, Meta(description="The object.")]
    meta: Annotated[NoMeta, META] = NoMeta()


class PageMeta(msgspec.Struct, frozen=True, kw_only=True):
    """The page, and the number of rows on all pages."""

    total: PageTotal
    page: CurrentPage
    page_size: CurrentSize


class Page(Success, Generic[T], frozen=True, kw_only=True):
    """A page of a list."""

    data: Annotated[list[T], Meta(description="Rows of the page.")]
    meta: Annotated[PageMeta, META]


# A subclass with filters is not keyword-only, because keyword-only fields come last: `page` and `page_size` follow
# the filters in the documentation and among invalid parameters.
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

    total: InResponse
