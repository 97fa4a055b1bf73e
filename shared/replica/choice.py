"""The choice between replica and primary, for each read."""

import asyncio

from prometheus_client import CollectorRegistry

from shared.replica.metrics import ReplicaMetrics
from shared.replica.own_writes import OwnWrites
from shared.replica.watch import LOOK_SECONDS, ReplicaWatch
from shared.security.caller import current_caller


class ReplicaChoice:
    """Tells whether the replica may answer the caller being served.

    It may when it is near enough to the primary and has all that the caller wrote in the past seconds. What
    no caller asked for is read from the primary: a task that writes and reads is not told from others.
    """

    def __init__(
        self, watch: ReplicaWatch, own_writes: OwnWrites, registry: CollectorRegistry | None = None
    ) -> None:
        self._watch = watch
        self._own_writes = own_writes
        self._metrics = ReplicaMetrics(registry or CollectorRegistry())
        self._metrics.lag.set_function(watch.lag)
        self._looking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to watch the replica."""
        await self._watch.look()
        self._looking = asyncio.create_task(self._look())

    async def stop(self) -> None:
        """End watching."""
        if self._looking:
            self._looking.cancel()
            await asyncio.wait([self._looking])

    async def wrote(self, caller: str, position: int) -> None:
        """Note where a write of `caller` ended, before it is acknowledged."""
        await self._own_writes.note(caller, position)

    async def may_answer(self) -> bool:
        """Tell whether it may; count why not."""
        reason = await self._reason_against()
        if reason:
            self._fall_back(reason)
        return reason is None

    def answered(self) -> None:
        """Count a read that the replica answered."""
        self._metrics.reads.labels("replica").inc()

    def failed(self, error: Exception, *, lost: bool) -> None:
        """Count a read that the replica failed; when it was `lost`, do without it until it is back."""
        if lost:
            self._watch.lost(error)
        self._fall_back("failed")

    async def _reason_against(self) -> str | None:
        watch, caller = self._watch, current_caller()
        if not watch.reachable:
            return "unreachable"
        if not watch.near:
            return "behind"
        written = await self._own_writes.latest(caller) if caller else None
        if written is None:
            return "unknown"
        if written > watch.replayed:
            await watch.look_at_replica()
        return "own_write" if written > watch.replayed else None

    def _fall_back(self, reason: str) -> None:
        self._metrics.fallbacks.labels(reason).inc()
        self._metrics.reads.labels("primary").inc()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._own_writes.probe()
            await self._watch.look()
