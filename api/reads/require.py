"""Reads of one row that a request cannot do without."""

from typing import TypeVar

from api.services import Services
from domain.errors import ErrorSpec
from storage.database.database import Query
from storage.database.statement import Value

NO_BEATMAP = ErrorSpec(404, "Map not found.")
NO_CLAN = ErrorSpec(404, "Clan not found.")
NO_SCORE = ErrorSpec(404, "Score not found.")

T = TypeVar("T")


async def require(services: Services, query: Query[T], error: ErrorSpec, **values: Value) -> T:
    """Return the row that `query` finds with these values. Raise `error` if there is none."""
    row = await services.database.one(query, **values)
    if row is None:
        raise error()
    return row
