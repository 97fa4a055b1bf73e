"""How late the event loop is."""

import asyncio
import time

from prometheus_client import CollectorRegistry

from shared.telemetry.event_loop import TICK_SECONDS, EventLoopLag


async def test_what_blocks_the_event_loop_shows() -> None:
    registry = CollectorRegistry()

    def late_by(seconds: float) -> float:
        """Return how many timers were as late as that, or more."""
        name = "event_loop_lag_seconds"
        below = registry.get_sample_value(f"{name}_bucket", {"le": str(seconds)}) or 0
        return (registry.get_sample_value(f"{name}_count") or 0) - below

    lag = EventLoopLag(registry)
    lag.start()
    time.sleep(1.5 + TICK_SECONDS)  # noqa: ASYNC251 - the offence itself
    async with asyncio.timeout(10):
        while not late_by(1.0):
            await asyncio.sleep(0.01)
    lag.stop()
    assert late_by(1.0) == 1
