"""Forgetting keys that are a day old."""

from datetime import timedelta

from sqlalchemy import text

from shared.db import Database
from shared.events.worker import Stopping, Worker

KEPT = timedelta(hours=24)
INTERVAL_SECONDS = 60
MOST_AT_ONCE = 1000

_PRUNE = text(
    """
    DELETE FROM idempotency_keys WHERE (caller, route, key) IN (
        SELECT caller, route, key FROM idempotency_keys WHERE created_at < now() - CAST(:kept AS interval)
        ORDER BY created_at LIMIT :most FOR UPDATE SKIP LOCKED
    )
    """
)


class Pruning(Worker):
    """Removes old keys every minute, in transactions that are short however many there are."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ending = Stopping()
        super().__init__("pruning of idempotency keys", self._prune, self._ending, grace=1)

    async def prune(self) -> None:
        """Remove every key that is older than a day."""
        removed = MOST_AT_ONCE
        while removed == MOST_AT_ONCE:
            async with self._database.transaction() as connection:
                result = await connection.execute(_PRUNE, {"kept": KEPT, "most": MOST_AT_ONCE})
                removed = result.rowcount

    async def _prune(self) -> None:
        while not self._ending.asked:
            await self.prune()
            await self._ending.pause(INTERVAL_SECONDS)
