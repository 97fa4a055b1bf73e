"""Cached answers are never older than the last acknowledged write, whatever happens in between."""

import asyncio
import random
from collections.abc import AsyncGenerator

import pytest
from redis.asyncio import Connection

from shared.cache import status
from shared.cache.link import RedisAway, Reply
from shared.cache.reads import KEPT_SECONDS
from shared.config import RedisConfig
from tests.support.caches import CacheParts, caching, giving, patient
from tests.support.databases import TestDatabase

TAG = "thing:1"


class Source:
    """The database, as far as a cache knows it: one number, read and written with pauses anywhere."""

    def __init__(self) -> None:
        self.value = 0
        self.acknowledged = 0
        self.loads = 0

    async def load(self) -> bytes | None:
        """Read the number as it is at some moment, and take some time before and after."""
        self.loads += 1
        await pause()
        value = self.value
        await pause()
        return str(value).encode()

    async def write(self, parts: CacheParts) -> None:
        """Raise the number by one, as a transaction does."""
        async with parts.reads.changing() as changing:
            await pause()
            await changing.begin([TAG])
            await pause()
            self.value += 1
            written = self.value
            await pause()
        self.acknowledged = max(self.acknowledged, written)

    async def read(self, parts: CacheParts) -> tuple[int, int]:
        """Return what a reader gets, and what was acknowledged before it asked."""
        before = self.acknowledged
        answer = await parts.reads.read("thing:1", [TAG], self.load)
        return int(answer.content or b"-1"), before


async def pause() -> None:
    """Let others go first, sometimes for longer."""
    for _ in range(random.choice([0, 0, 1, 3, 9])):
        await asyncio.sleep(0)
    if random.random() < 0.3:
        await asyncio.sleep(random.random() / 200)


@pytest.fixture
async def parts(redis_config: RedisConfig, store_database: TestDatabase) -> AsyncGenerator[CacheParts]:
    async with caching(patient(redis_config), store_database.app) as made:
        await made.link.command("FLUSHALL")
        yield made


async def test_an_answer_is_kept_and_comes_back(parts: CacheParts) -> None:
    first = await parts.reads.read("thing:1", [TAG], giving(b"one"))
    second = await parts.reads.read("thing:1", [TAG], giving(b"two"))
    assert (first.content, first.status) == (b"one", status.STORED)
    assert (second.content, second.status) == (b"one", status.HIT)


async def test_absence_is_kept_briefly_and_ends_with_creation(parts: CacheParts) -> None:
    assert (await parts.reads.read("thing:1", [TAG], giving(None))).content is None
    assert (await parts.reads.read("thing:1", [TAG], giving(b"x"))) == status.Cached(None, status.HIT)
    remaining = await parts.link.command("PTTL", "gerai:v1:thing:1")
    assert isinstance(remaining, int)
    assert 0 < remaining < 5000
    await parts.reads.invalidate([TAG])
    assert (await parts.reads.read("thing:1", [TAG], giving(b"made"))).content == b"made"


async def test_a_fresh_answer_is_asked_for(parts: CacheParts) -> None:
    await parts.reads.read("thing:1", [TAG], giving(b"one"))
    fresh = await parts.reads.read("thing:1", [TAG], giving(b"two"), fresh=True)
    assert fresh == status.Cached(b"two", status.REQUESTED)


async def test_expiries_are_spread(parts: CacheParts) -> None:
    for number in range(50):
        await parts.reads.read(f"thing:{number}", [f"thing:{number}"], giving(b"x"))
    times = [await parts.link.command("PTTL", f"gerai:v1:thing:{number}") for number in range(50)]
    seconds = [time / 1000 for time in times if isinstance(time, int)]
    assert KEPT_SECONDS * 0.84 < min(seconds) < KEPT_SECONDS < max(seconds) < KEPT_SECONDS * 1.16


async def test_everything_in_the_cache_ends_by_itself(parts: CacheParts) -> None:
    await parts.reads.read("thing:1", [TAG, "things"], giving(b"x"))
    async with parts.reads.changing() as changing:
        await changing.begin(["other"])
        keys = await parts.link.command("KEYS", "*")
        assert isinstance(keys, list)
        assert len(keys) == 4
        for key in keys:
            assert isinstance(key, bytes)
            remaining = await parts.link.command("PTTL", key)
            assert isinstance(remaining, int)
            assert remaining > 0


async def test_a_fill_that_raced_with_a_write_is_refused(parts: CacheParts) -> None:
    async def load() -> bytes | None:
        await parts.reads.invalidate([TAG])
        return b"old"

    raced = await parts.reads.read("thing:1", [TAG], load)
    assert raced == status.Cached(b"old", status.NOT_STORED)
    assert (await parts.reads.read("thing:1", [TAG], giving(b"new"))).content == b"new"


async def test_while_a_write_is_under_way_nothing_cached_is_used(parts: CacheParts) -> None:
    await parts.reads.read("thing:1", [TAG], giving(b"old"))
    async with parts.reads.changing() as changing:
        await changing.begin([TAG])
        during = await parts.reads.read("thing:1", [TAG], giving(b"new"))
    assert during == status.Cached(b"new", status.NOT_STORED)


async def test_a_write_that_could_not_be_announced_is_ended_all_the_same(
    parts: CacheParts, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> Reply:
        raise RedisAway

    await parts.reads.read("thing:1", [TAG], giving(b"old"))
    async with parts.reads.changing() as changing:
        with monkeypatch.context() as patched:
            patched.setattr(parts.link, "command", away)
            await changing.begin([TAG])
    assert (await parts.reads.read("thing:1", [TAG], giving(b"new"))).content == b"new"


async def test_two_writes_at_once_both_count(parts: CacheParts) -> None:
    async with parts.reads.changing() as first:
        await first.begin([TAG])
        async with parts.reads.changing() as second:
            await second.begin([TAG])
        await parts.reads.read("thing:1", [TAG], giving(b"old"))
    assert (await parts.reads.read("thing:1", [TAG], giving(b"new"))).content == b"new"


async def test_what_redis_loses_is_not_filled_with_the_past(parts: CacheParts) -> None:
    async def load() -> bytes | None:
        await parts.reads.invalidate([TAG])
        await parts.link.command("FLUSHALL")
        return b"old"

    await parts.reads.read("thing:1", [TAG], load)
    assert (await parts.reads.read("thing:1", [TAG], giving(b"new"))).content == b"new"


async def test_many_readers_of_a_cold_key_ask_once(parts: CacheParts) -> None:
    source = Source()
    await parts.link.command("EVAL", "return redis.call('SET', KEYS[1], 'Gx')", 1, "gerai:v1:tag:thing:1")
    answers = await asyncio.gather(*(source.read(parts) for _ in range(200)))
    assert {value for value, _ in answers} == {0}
    assert source.loads == 1


async def test_a_leader_that_is_cancelled_takes_nobody_along(parts: CacheParts) -> None:
    loading, go_on = asyncio.Event(), asyncio.Event()

    async def load() -> bytes | None:
        loading.set()
        await go_on.wait()
        return b"x"

    leader = asyncio.create_task(parts.reads.read("thing:1", [TAG], load))
    await loading.wait()
    follower = asyncio.create_task(parts.reads.read("thing:1", [TAG], giving(b"not asked")))
    leader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leader
    go_on.set()
    assert (await follower).content == b"x"


async def test_what_a_load_raises_reaches_every_reader(parts: CacheParts) -> None:
    async def load() -> bytes | None:
        await asyncio.sleep(0)
        raise OSError("database")

    readers = [parts.reads.read("thing:1", [TAG], load) for _ in range(3)]
    assert [type(error) for error in await asyncio.gather(*readers, return_exceptions=True)] == [OSError] * 3


async def test_a_cancelled_writer_still_ends_its_write(parts: CacheParts) -> None:
    await parts.reads.read("thing:1", [TAG], giving(b"old"))
    committed = asyncio.Event()

    async def write() -> None:
        async with parts.reads.changing() as changing:
            await changing.begin([TAG])
            committed.set()
            await asyncio.sleep(60)

    writer = asyncio.create_task(write())
    await committed.wait()
    writer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writer
    async with asyncio.timeout(5):
        while (await parts.reads.read("thing:1", [TAG], giving(b"new"))).status == status.NOT_STORED:
            await asyncio.sleep(0)


@pytest.mark.parametrize("seed", range(4))
async def test_no_interleaving_serves_the_past(parts: CacheParts, seed: int) -> None:
    random.seed(seed)
    source = Source()
    stale: list[tuple[int, int]] = []
    hits = 0

    async def reader() -> None:
        nonlocal hits
        for _ in range(150):
            before = source.loads
            value, acknowledged = await source.read(parts)
            hits += source.loads == before
            if value < acknowledged:
                stale.append((value, acknowledged))
            await pause()

    async def writer() -> None:
        for _ in range(60):
            await source.write(parts)
            await asyncio.sleep(random.random() / 100)

    async def loser() -> None:
        for _ in range(10):
            await asyncio.sleep(random.random() / 20)
            await parts.link.command("FLUSHALL")

    await asyncio.gather(*(reader() for _ in range(6)), writer(), writer(), loser())
    assert not stale
    assert hits > 20
    assert (await source.read(parts))[0] == source.value == 120


async def test_a_connection_that_was_reset_keeps_nobody_waiting(
    parts: CacheParts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uvloop answers a write on it with a RuntimeError; the next command has another connection."""
    send = Connection.send_packed_command

    async def broken(*_: object, **__: object) -> None:
        monkeypatch.setattr(Connection, "send_packed_command", send)
        raise RuntimeError("unable to perform operation on <TCPTransport>; the handler is closed")

    await parts.link.command("PING")
    monkeypatch.setattr(Connection, "send_packed_command", broken)
    async with asyncio.timeout(5):
        with pytest.raises(RedisAway):
            await parts.link.command("PING")
        assert await parts.link.command("PING") == b"PONG"
