"""How many calls to one neighbour may be under way, so that a slow one does not take everything with it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from shared.http.failures import Busy


class Bulkhead:
    """Lets `most` calls through at a time."""

    def __init__(self, most: int) -> None:
        self.under_way = 0
        self._free = asyncio.Semaphore(most)

    @asynccontextmanager
    async def place(self, seconds: float) -> AsyncGenerator[None]:
        """Hold a place for the length of the block.

        Raises:
            Busy: when none becomes free within `seconds`.
        """
        if self._free.locked():
            await self._wait(seconds)
        else:
            await self._free.acquire()
        self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1
            self._free.release()

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._free.acquire()
        except TimeoutError:
            raise Busy from None
