"""How far the replica is behind: measured against the primary, not by clocks that may differ."""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable

LOOK_SECONDS = 0.5
ANSWER_SECONDS = 1.0

_MOST_MARKS = 7200  # an hour's

Position = Callable[[], Awaitable[int | None]]
"""Asks a server how far its log goes, in bytes; None from one that is not what it should be."""

logger = logging.getLogger("gerai.replica")


class ReplicaWatch:
    """Looks twice a second where the primary is, and whether the replica has got to where it was before.

    The time of the latest such place is until when the replica surely has everything. A stopped stream, a
    paused replay and a frozen server all show alike: that time does not move on.
    """

    def __init__(
        self,
        primary: Position,
        replica: Position,
        most_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.replayed = 0
        self.reachable = False
        self._primary = primary
        self._replica = replica
        self._most_seconds = most_seconds
        self._clock = clock
        self._marks = deque[tuple[float, int]](maxlen=_MOST_MARKS)
        self._has_all_until = -math.inf

    def lag(self) -> float:
        """Return how many seconds the replica may be behind, at most."""
        return self._clock() - self._has_all_until

    @property
    def near(self) -> bool:
        """Whether it is no more behind than it may be."""
        return self.lag() <= self._most_seconds

    async def look(self) -> None:
        """Ask both servers."""
        await self._look_at_primary()
        await self.look_at_replica()

    async def look_at_replica(self) -> None:
        """Ask the replica how far it is."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                replayed = await self._replica()
        except Exception as error:  # noqa: BLE001 - whatever it is: it does not answer
            self.lost(error)
        else:
            self._found(replayed)

    def lost(self, error: object) -> None:
        """Do without the replica until it answers the next look."""
        if self.reachable:
            logger.warning("The replica is not read from: %r", error)
        self.reachable = False

    async def _look_at_primary(self) -> None:
        began = self._clock()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                position = await self._primary()
        except Exception as error:  # noqa: BLE001 - whatever it is: nothing was learnt, so the lag grows
            logger.warning("Where the primary is cannot be asked: %r", error)
        else:
            self._marks.append((began, position or 0))

    def _found(self, replayed: int | None) -> None:
        if replayed is None:
            self.lost("it is not a replica")
            return
        if not self.reachable:
            logger.info("The replica answers")
        if replayed < self.replayed:  # it was restarted, and is where its last restart point was
            self._has_all_until = -math.inf
        self.reachable, self.replayed = True, replayed
        while self._marks and self._marks[0][1] <= replayed:
            self._has_all_until, _ = self._marks.popleft()
