"""How late the event loop is: the time for which something else kept it from what was due."""

import asyncio
import time

from prometheus_client import CollectorRegistry

from shared.telemetry.durations import Durations

TICK_SECONDS = 0.1


class EventLoopLag:
    """Sets a timer ten times a second and measures how late it runs."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._late = Durations[()](
            "event_loop_lag_seconds", "How late a timer of the event loop runs; there are ten a second.", ()
        )
        registry.register(self._late)
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to measure the running loop."""
        self._due = time.perf_counter() + TICK_SECONDS
        self._timer = asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)

    def stop(self) -> None:
        """End measuring."""
        if self._timer:
            self._timer.cancel()

    def _tick(self) -> None:
        self._late.observe((), max(0.0, time.perf_counter() - self._due))
        self.start()
