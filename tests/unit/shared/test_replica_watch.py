"""How far a replica is behind, told by positions in the log."""

import math

import pytest

from shared.replica.watch import ReplicaWatch


class Servers:
    """A primary and a replica, as far as their logs go, and a clock."""

    def __init__(self) -> None:
        self.now, self.written, self.replayed = 100.0, 10, 10
        self.broken = set[str]()
        self.watch = ReplicaWatch(self.primary, self.replica, 5, clock=lambda: self.now)

    async def primary(self) -> int | None:
        if "primary" in self.broken:
            raise OSError
        return self.written

    async def replica(self) -> int | None:
        if "replica" in self.broken:
            raise OSError
        return self.replayed if "promoted" not in self.broken else None

    async def passes(self, seconds: float) -> None:
        self.now += seconds
        await self.watch.look()


@pytest.fixture
async def servers() -> Servers:
    servers = Servers()
    assert servers.watch.lag() == math.inf
    await servers.watch.look()
    return servers


async def test_an_idle_primary_leaves_no_lag(servers: Servers) -> None:
    for _ in range(5):
        await servers.passes(60)
        assert (servers.watch.lag(), servers.watch.near) == (0, True)


async def test_the_lag_is_since_the_replica_had_everything(servers: Servers) -> None:
    for seconds in range(1, 8):
        servers.written += 1
        await servers.passes(1)
        assert servers.watch.lag() == seconds
        assert servers.watch.near == (seconds <= 5)
    servers.replayed += 4
    await servers.passes(0)
    assert (servers.watch.lag(), servers.watch.near) == (3, True)


async def test_without_the_primary_the_lag_grows(servers: Servers) -> None:
    servers.broken.add("primary")
    await servers.passes(6)
    assert (servers.watch.reachable, servers.watch.near) == (True, False)
    servers.broken.clear()
    await servers.passes(1)
    assert servers.watch.near


@pytest.mark.parametrize("how", ["replica", "promoted"])
async def test_a_replica_that_is_none_is_not_reachable(servers: Servers, how: str) -> None:
    servers.broken.add(how)
    await servers.passes(1)
    assert not servers.watch.reachable
    servers.broken.clear()
    await servers.passes(1)
    assert servers.watch.reachable


async def test_a_replica_that_went_back_is_behind_until_it_has_replayed(servers: Servers) -> None:
    servers.written = 20
    servers.replayed = 5
    await servers.passes(1)
    assert not servers.watch.near
    servers.replayed = 20
    await servers.passes(1)
    assert servers.watch.near
