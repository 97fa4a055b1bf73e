"""Loads many rows in batches, so that memory stays small, and says how far it is."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any

from infra.seed.load import Loader
from infra.seed.progress import progress

Rows = list[dict[str, Any]]
Make = Callable[[range], Rows]
"""Makes the rows of the things with these numbers."""

_BATCH = 5_000


async def load_all(loader: Loader, what: str, count: int, make: Make) -> None:
    """Load what `make` makes of the numbers from 0 to `count`, without what is there."""
    started, added = time.monotonic(), 0
    await loader.prepare()
    with progress(what, count) as advance:
        async for numbers, rows in _batches(count, make):
            added += await loader.add(rows)
            advance(len(numbers))
    if added:
        await loader.settle()
    print(f"{what}: {count:,}, of which {added:,} are new ({time.monotonic() - started:.1f} s)", flush=True)


async def _batches(count: int, make: Make) -> AsyncGenerator[tuple[range, Rows]]:
    """Yield rows by the batch, each made while the one before is loaded."""
    numbers = [range(start, min(start + _BATCH, count)) for start in range(0, count, _BATCH)]
    coming: asyncio.Task[Rows] | None = None
    for each, following in zip(numbers, [*numbers[1:], None], strict=True):
        rows = await (coming or asyncio.to_thread(make, each))
        coming = asyncio.create_task(asyncio.to_thread(make, following)) if following else None
        yield each, rows
