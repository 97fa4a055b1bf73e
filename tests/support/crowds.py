"""Many requests at the same time, and no more than a service under test has connections for.

Past those it answers 503 after half a second of waiting, which on a busy machine comes before the rest.
"""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")

AT_ONCE = 8
"""Of ten connections; what runs beside the requests uses the others."""

ROUNDS = range(7)
"""Enough for more than fifty requests in all."""


async def crowd(requests: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Return the answers to all requests, of which AT_ONCE are under way as long as there are so many."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(request: Coroutine[Any, Any, T]) -> T:
        async with slots:
            return await request

    return await asyncio.gather(*map(one, requests))
