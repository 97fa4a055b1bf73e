"""The platform with two gateways, each process behind a balancer, so that it can be replaced."""

import asyncio
import signal
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from infra.embedded.ports import free_port
from shared.config import RedisConfig
from tests.rollout.balancer import Balancer, balancing
from tests.support.databases import TestDatabase
from tests.support.platform import Platform, running

SERVICES = ("auth", "client", "store")
GATEWAYS = ("gateway", "gateway2")

_DRAIN_SECONDS = 1.0
_STOP_SECONDS = 30
_CHANGES = {
    "SERVICE_DRAIN_SECONDS": str(_DRAIN_SECONDS),
    "DB_POOL_WAIT_MS": "5000",  # a busy machine is not to be taken for a database that is away
    "REDIS_TIMEOUT_MS": "1000",
}


@dataclass
class Fleet:
    """The running processes; `current` names the one that is in each place at the moment."""

    platform: Platform
    balancers: Mapping[str, Balancer]
    current: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def gateways(self) -> list[str]:
        """The addresses of both gateways' balancers."""
        return [f"http://127.0.0.1:{self.balancers[name].port}" for name in GATEWAYS]

    async def place(self, place: str, process: str) -> None:
        """Let a running process be reached at a place."""
        url = self.platform.url(process)
        self.balancers[place].add(url)
        await self.balancers[place].serves(url)
        self.current[place] = process

    async def replace(self, place: str, end: signal.Signals = signal.SIGTERM) -> None:
        """Start a process beside the one at a place, and end that one once the new one serves."""
        old = self.current[place]
        new = f"{old}-next"
        self.platform.twin(new, old, METRICS_PORT=str(free_port()))
        await self.platform.start(new)
        await self.place(place, new)
        process = self.platform.processes[old]
        process.send_signal(end)
        await asyncio.to_thread(process.wait, _STOP_SECONDS)
        self.balancers[place].remove(self.platform.url(old))


@asynccontextmanager
async def running_fleet(
    databases: Mapping[str, TestDatabase], redis: RedisConfig, folder: Path
) -> AsyncGenerator[Fleet]:
    """Run the fleet until the block ends."""
    async with AsyncExitStack() as stack:
        places = (*SERVICES, *GATEWAYS)
        balancers = {place: await stack.enter_async_context(balancing()) for place in places}
        urls = {f"{name.upper()}_URL": f"http://127.0.0.1:{balancers[name].port}" for name in SERVICES}
        ports = {name: free_port() for name in (*SERVICES, "gateway")}
        for name in SERVICES:  # they reach one another from the start
            balancers[name].add(f"http://127.0.0.1:{ports[name]}")
        changes = {name: {**urls, **_CHANGES} for name in ports}
        platform = await stack.enter_async_context(running(databases, redis, folder, changes, ports=ports))
        platform.twin("gateway2", "gateway", METRICS_PORT=str(free_port()))
        await platform.start("gateway2")
        fleet = Fleet(platform, balancers)
        for place in places:
            await fleet.place(place, place)
        yield fleet
