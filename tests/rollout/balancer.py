"""A load balancer that sends new connections to processes that say they are ready, as a kube Service does."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx

from tests.support.proxy import Proxy, proxying

_PROBE_SECONDS = 0.1


class Balancer:
    """What stands before the processes of one service, and asks each again and again whether it is ready."""

    def __init__(self, front: Proxy) -> None:
        self.port = front.port
        self._front = front
        self._members: dict[str, bool] = {}

    def add(self, url: str) -> None:
        """Send connections to a process, too, once it is ready."""
        self._members[url] = False

    def remove(self, url: str) -> None:
        """Forget a process that has ended."""
        del self._members[url]

    async def serves(self, url: str) -> None:
        """Wait until a process has been found ready."""
        while not self._members[url]:
            await asyncio.sleep(_PROBE_SECONDS)

    async def watch(self) -> None:
        """Ask the processes and choose the newest that is ready, until it is cancelled."""
        async with httpx.AsyncClient(timeout=1) as http:
            while True:
                for url in list(self._members):
                    ready = await _is_ready(http, url)
                    if url in self._members:
                        self._members[url] = ready
                    if ready:
                        self._front.point_at(httpx.URL(url).port or 0)
                await asyncio.sleep(_PROBE_SECONDS)


@asynccontextmanager
async def balancing() -> AsyncGenerator[Balancer]:
    """Run a balancer, without a process behind it yet, until the block ends."""
    async with proxying(0) as front:
        balancer = Balancer(front)
        watching = asyncio.create_task(balancer.watch())
        try:
            yield balancer
        finally:
            watching.cancel()


async def _is_ready(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(f"{url}/readyz")).is_success
    except httpx.TransportError:
        return False
