"""Totals beside a list, which must not keep the list from being sent."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from domain.errors import Unavailable

T = TypeVar("T")

# For how many seconds a response waits for its total. The count goes on, so that a later response has it.
WAIT = 1.0


async def if_counted(total: Awaitable[T]) -> T | None:
    """Return a total that a cache counts, or None if the count fails or takes longer than a second."""
    try:
        async with asyncio.timeout(WAIT):
            return await total
    except (TimeoutError, Unavailable):
        return None
