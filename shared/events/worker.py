"""Tasks that run beside the requests of a process, from its start to its end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

logger = logging.getLogger("gerai.worker")


class Stopping:
    """Whether a task has been asked to end."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()

    @property
    def asked(self) -> bool:
        """Whether it has."""
        return self._asked.is_set()

    def ask(self) -> None:
        """Ask it to end."""
        self._asked.set()

    async def pause(self, seconds: float) -> None:
        """Wait for `seconds`, or until asked to end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._asked.wait()


class Worker:
    """One task: begun by `start`, asked to end by `stop`, and cancelled if it does not in `grace` seconds.

    A fault ends no task for good: it is logged, and the task begins again a second later.
    """

    def __init__(
        self, name: str, run: Callable[[], Awaitable[None]], stopping: Stopping, grace: float
    ) -> None:
        self._name = name
        self._run = run
        self._stopping = stopping
        self._grace = grace
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin the task."""
        self._task = asyncio.create_task(self._keep_running(), name=self._name)

    async def stop(self) -> None:
        """End the task."""
        self._stopping.ask()
        if self._task is None:
            return
        _, unfinished = await asyncio.wait([self._task], timeout=self._grace)
        for task in unfinished:
            logger.warning("%s did not end within %s s and was cancelled", self._name, self._grace)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _keep_running(self) -> None:
        while not self._stopping.asked:
            try:
                await self._run()
            except Exception:
                logger.exception("%s failed and begins again", self._name)
                await self._stopping.pause(1)


class Every:
    """Tells when an interval has passed since it last told so; at first it has."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next = 0.0

    def due(self) -> bool:
        """Tell whether it is time."""
        now = asyncio.get_running_loop().time()
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True

    def soon(self) -> None:
        """Let it be time at once."""
        self._next = 0.0
