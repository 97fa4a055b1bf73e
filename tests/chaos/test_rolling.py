"""Each service is restarted ten times under load, a new process beside the old one: no request fails."""

import asyncio
import itertools
import signal
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack

import pytest

from infra.embedded.ports import free_port
from tests.chaos.setting import Servers, world_of
from tests.chaos.world import World
from tests.support.proxy import Proxy, proxying

pytestmark = pytest.mark.chaos

RESTARTS = 10
DRAIN_SECONDS = 1.0
STOP_SECONDS = 25
SERVICES = ("auth", "client", "store", "gateway")

Fronts = Mapping[str, Proxy]
"""What stands before each service, as a load balancer does."""


@pytest.fixture(scope="module")
def ports() -> Mapping[str, int]:
    return {name: free_port() for name in SERVICES}


@pytest.fixture(scope="module")
async def fronts(ports: Mapping[str, int]) -> AsyncGenerator[Fronts]:
    async with AsyncExitStack() as stack:
        yield {name: await stack.enter_async_context(proxying(port)) for name, port in ports.items()}


@pytest.fixture(scope="module")
async def world(servers: Servers, fronts: Fronts, ports: Mapping[str, int]) -> AsyncGenerator[World]:
    urls = {f"{name.upper()}_URL": f"http://127.0.0.1:{front.port}" for name, front in fronts.items()}
    common = {
        **urls,
        "SERVICE_DRAIN_SECONDS": str(DRAIN_SECONDS),
        "REDIS_TIMEOUT_MS": "1000",  # a busy machine is not to be taken for a Redis that is away
    }
    async with world_of(servers, dict.fromkeys(SERVICES, common), ports) as world:
        world.platform.http.base_url = f"http://127.0.0.1:{fronts['gateway'].port}"
        yield world


@pytest.mark.parametrize("name", SERVICES)
async def test_restarts_lose_no_request(world: World, fronts: Fronts, name: str) -> None:
    """A new process is told of half-way through the old one's drain: nobody sees anything of it."""
    names, old = (f"{name}-{number}" for number in itertools.count(1)), name
    async with world.load() as load:
        for _ in range(RESTARTS):
            new = next(names)
            world.platform.twin(new, name, METRICS_PORT=str(free_port()))
            await world.platform.start(new)
            await _replace(world, fronts[name], old, new)
            old = new
    load.check()
    assert set(load.statuses) == {200}
    assert load.recovery < 5


async def _replace(world: World, front: Proxy, old: str, new: str) -> None:
    process = world.platform.processes[old]
    process.send_signal(signal.SIGTERM)
    await asyncio.sleep(DRAIN_SECONDS / 2)
    front.point_at(world.platform.ports[new])
    await asyncio.to_thread(process.wait, STOP_SECONDS)
