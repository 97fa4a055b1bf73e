"""Which cached answers may be used at all: those of this run of Redis and of the present epoch.

The epoch is a sequence in PostgreSQL. A writer that cannot reach Redis advances it after its commit, and
every process asks for it twice a second. One that has not heard of it for longer than `CONFIRMED_SECONDS`
uses no cached answer, so none is served for longer than that after a write it does not show.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy import text

from shared.cache.link import RedisAway, RedisLink
from shared.db import Database, Question

ASK_SECONDS = 0.5
CONFIRMED_SECONDS = 1.5

# nextval's first answer is the last_value that was there before it.
_EPOCH = Question(text("SELECT last_value + is_called::int AS epoch FROM cache_epoch"))
_ADVANCE = Question(text("SELECT nextval('cache_epoch') + 1 AS epoch"))

logger = logging.getLogger("gerai.cache")


class Era:
    """The present run of Redis and epoch, as far as this process has them confirmed."""

    def __init__(
        self, link: RedisLink, database: Database, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._link = link
        self._database = database
        self._clock = clock
        self._epoch = 0
        self._confirmed_at = -CONFIRMED_SECONDS
        self._asking: asyncio.Task[None] | None = None

    def current(self) -> bytes | None:
        """Return what marks usable answers; None while there is none or Redis is not asked."""
        if not self._link.available or self._clock() - self._confirmed_at >= CONFIRMED_SECONDS:
            return None
        return b"%b/%d" % (self._link.run_id, self._epoch)

    async def advance(self) -> None:
        """Make every cached answer unusable, in every process, within `CONFIRMED_SECONDS`."""
        row = await self._database.fetch_one(_ADVANCE, primary=True)
        if row:
            self._epoch = max(self._epoch, row["epoch"])

    async def confirm(self) -> None:
        """Ask PostgreSQL for the epoch and Redis for a sign of life."""
        began = self._clock()
        with suppress(RedisAway):
            await self._link.probe()
        row = await self._database.fetch_control(_EPOCH)
        if row:
            self._epoch = max(self._epoch, row["epoch"])
            self._confirmed_at = began

    async def start(self) -> None:
        """Begin to ask regularly."""
        await self._try_to_confirm()
        self._asking = asyncio.create_task(self._ask())

    async def stop(self) -> None:
        """End asking."""
        if self._asking:
            self._asking.cancel()
            await asyncio.wait([self._asking])

    async def _ask(self) -> None:
        while True:
            await asyncio.sleep(ASK_SECONDS)
            await self._try_to_confirm()

    async def _try_to_confirm(self) -> None:
        try:
            await self.confirm()
        except Exception as error:  # noqa: BLE001 - whatever it is: without an answer nothing cached is used
            logger.warning("The cache is not used: its epoch is not known: %s", error or type(error).__name__)
