"""Clocks are set forward and back; no answer, no event and no lease depends on what they say.

The clocks of processes and that of Redis are set here. What the database's does is tested where its times
are stored: deletions, imports, attempts to sign in.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any, cast

import pytest
from redis.asyncio import Redis

from shared.events.event import Event, decode_event
from shared.events.streams import stream_name, streams_client
from tests.chaos.setting import Servers, world_of
from tests.chaos.world import RECOVERY_SECONDS, UNREACHABLE_TOLERANCE, World
from tests.support import clocks as clocks_module
from tests.support.clocks import WallClock

pytestmark = pytest.mark.chaos

SECONDS = 1.2
HOUR = 3600
PROCESSES = ("auth", "client", "store", "store2", "gateway")
TOKEN_SECONDS = 2 * HOUR
COMMON = {
    "ACCESS_TOKEN_SECONDS": str(TOKEN_SECONDS),
    "REDIS_TIMEOUT_MS": "1000",  # a busy machine is not to be taken for a Redis that is away
}

# What has an expiry loses it, or keeps it for longer, when the clock of Redis is set.
_SET_CLOCK = """
for _, key in ipairs(redis.call('KEYS', '*')) do
  local left = redis.call('PTTL', key)
  if left > 0 then redis.call('PEXPIRE', key, left - ARGV[1]) end
end
"""

Clocks = Mapping[str, WallClock]


@pytest.fixture(scope="module")
def clocks(servers: Servers) -> Clocks:
    return {name: WallClock(servers.folder / f"{name}.clock") for name in PROCESSES}


@pytest.fixture(scope="module")
async def world(servers: Servers, clocks: Clocks) -> AsyncGenerator[World]:
    changes = {name: {**clock.environment, **COMMON} for name, clock in clocks.items()}
    async with world_of(servers, changes, runner=(clocks_module.MODULE,)) as world:
        yield world


@pytest.mark.parametrize("seconds", [HOUR, -HOUR])
@pytest.mark.parametrize("names", [("auth",), ("client",), ("store",), ("gateway",), PROCESSES])
async def test_a_clock_that_is_set_changes_no_answer(
    world: World, clocks: Clocks, names: tuple[str, ...], seconds: float
) -> None:
    """One process, or the whole machine, is an hour ahead or behind for a while: nothing is seen of it."""
    (before,) = await world.rows("store", "SELECT max(id) AS id FROM changes")
    async with world.load() as load:
        await asyncio.sleep(SECONDS)
        _set(clocks, names, seconds)
        await asyncio.sleep(SECONDS)
        _set(clocks, names, 0)
        await asyncio.sleep(SECONDS)
    load.check()
    assert set(load.statuses) == {200}
    assert load.recovery < 5
    await _assert_all_is_told(world, before["id"])


@pytest.mark.parametrize("seconds", [HOUR, -HOUR])
async def test_a_clock_that_is_set_amid_faults_keeps_nothing_open(
    world: World, clocks: Clocks, seconds: float
) -> None:
    """It is set while circuits are open and Redis is away: all is well again as soon as without it."""
    async with world.load() as load:
        world.near.cut()
        world.neighbour.cut()
        await asyncio.sleep(2 * SECONDS)
        _set(clocks, PROCESSES, seconds)
        await asyncio.sleep(SECONDS)
        world.heal()
        amid = await world.recovered()
    load.check(tolerance=UNREACHABLE_TOLERANCE)
    assert set(load.statuses) <= {200, 503, 504}
    _set(clocks, PROCESSES, 0)
    assert amid < 10
    assert await world.recovered() < 5


@pytest.mark.parametrize("name", ["gateway", "store"])
async def test_tokens_are_refused_while_the_clock_is_wrong_and_no_longer(
    world: World, clocks: Clocks, name: str
) -> None:
    """Ahead of a token's life it has expired, before it is not valid yet: 401, and right again at once."""
    url = f"{world.platform.url(name)}/v1/stores/{world.stores[0]}"
    for seconds in (TOKEN_SECONDS + HOUR, -HOUR):
        headers = await world.platform.sign_in()
        clocks[name].set(seconds)
        refused = await world.platform.http.get(url, headers=headers)
        clocks[name].set(0)
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "UNAUTHENTICATED")
        assert refused.headers["www-authenticate"].startswith("Bearer")
        assert (await world.platform.http.get(url, headers=headers)).status_code == 200


@pytest.mark.parametrize("seconds", [HOUR, -TOKEN_SECONDS - HOUR])
async def test_what_auth_issued_at_a_wrong_time_is_replaced(
    world: World, clocks: Clocks, seconds: float
) -> None:
    """Services hold tokens of no use; once the clock of auth is right they get others by themselves."""
    await world.recovered()
    clocks["auth"].set(seconds)
    world.platform.kill("store")
    await world.platform.start("store")
    change = {"name": "With a token of another time"}
    answer = await world.platform.http.patch(f"/v1/stores/{world.stores[0]}", json=change)
    clocks["auth"].set(0)
    assert answer.status_code == 502
    assert await world.recovered() < 5


@pytest.mark.parametrize("seconds", [HOUR, -HOUR])
async def test_a_redis_whose_clock_is_set_changes_no_answer(world: World, seconds: float) -> None:
    """Everything that expires is gone at once, or stays for an hour more: no read is old."""
    async with _redis(world) as server, world.load() as load:
        for _ in range(10):
            await asyncio.sleep(0.3)
            await cast("Any", server).eval(_SET_CLOCK, 0, int(seconds * 1000))
    load.check()
    assert set(load.statuses) == {200}
    assert load.recovery < 5


def _set(clocks: Clocks, names: tuple[str, ...], seconds: float) -> None:
    for name in names:
        clocks[name].set(seconds)


async def _assert_all_is_told(world: World, before: int) -> None:
    """See that each change since then is in the stream, and that stores know of their client what is so."""
    made = await world.rows("store", f"SELECT event_id::text AS id FROM changes WHERE id > {before}")  # noqa: S608
    shown = f"SELECT name, version FROM clients WHERE uuid = '{world.client}'"  # noqa: S608 - an id of ours
    (client,) = await world.rows("client", shown)
    async with asyncio.timeout(RECOVERY_SECONDS), _redis(world) as server:
        while await world.rows("store", "SELECT 1 FROM outbox"):
            await asyncio.sleep(0.05)
        found = {str(event.id) for event in await _events(server)}
        while await world.rows("store", shown) != [client]:
            await asyncio.sleep(0.05)
    assert {change["id"] for change in made} <= found


async def _events(server: Redis) -> list[Event]:
    found: list[tuple[str, dict[str, str]]] = await cast("Any", server).xrange(stream_name("store"))
    return [decode_event(fields["event"]) for _, fields in found]


def _redis(world: World) -> Redis:
    return streams_client(world.redis)
