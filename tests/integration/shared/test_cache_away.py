"""A Redis that is away, back with the past, or slow: the database answers, and nothing old is believed."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from infra.embedded import redis
from infra.embedded.ports import free_port
from shared.cache import status
from shared.cache.era import CONFIRMED_SECONDS
from shared.cache.link import RedisAway, Reply
from shared.config import RedisConfig, Secret
from tests.support.caches import CacheParts, caching, giving, patient
from tests.support.databases import TestDatabase

TAG = "thing:1"


@pytest.fixture
def server(tmp_path: Path) -> Generator[RedisConfig]:
    """A Redis that a test may break."""
    with redis.running(tmp_path) as url:
        yield config_of(url)


def config_of(url: str) -> RedisConfig:
    parts = urlsplit(url)
    password = Secret(parts.password or "")
    return patient(RedisConfig(host="127.0.0.1", port=parts.port or 0, password=password))


async def test_without_redis_the_database_answers(store_database: TestDatabase) -> None:
    nowhere = RedisConfig(host="127.0.0.1", port=free_port())
    async with caching(nowhere, store_database.app) as parts:
        for number in range(5):
            found = await parts.reads.read("thing:1", [TAG], giving(b"%d" % number))
            assert found == status.Cached(b"%d" % number, status.UNAVAILABLE)
        assert not parts.link.available


async def test_a_writer_without_redis_ends_what_others_have_cached(
    server: RedisConfig, store_database: TestDatabase
) -> None:
    nowhere = RedisConfig(host="127.0.0.1", port=free_port())
    async with (
        caching(server, store_database.app) as reader,
        caching(nowhere, store_database.app) as writer,
    ):
        await reader.reads.read("thing:1", [TAG], giving(b"old"))
        async with writer.reads.changing() as changing:
            await changing.begin([TAG])
        async with asyncio.timeout(CONFIRMED_SECONDS):
            while (await reader.reads.read("thing:1", [TAG], giving(b"new"))).content != b"new":
                await asyncio.sleep(0.01)


async def test_a_reader_that_cannot_confirm_uses_nothing_cached(
    server: RedisConfig, store_database: TestDatabase
) -> None:
    async with caching(server, store_database.app) as parts:
        await parts.reads.read("thing:1", [TAG], giving(b"old"))
        await parts.era.stop()
        async with asyncio.timeout(CONFIRMED_SECONDS + 1):
            while (await parts.reads.read("thing:1", [TAG], giving(b"new"))).status == status.HIT:
                await asyncio.sleep(0.05)
        assert (await parts.reads.read("thing:1", [TAG], giving(b"new"))).status == status.UNAVAILABLE


@contextmanager
def started_again(folder: Path) -> Generator[None]:
    """Run the server of this folder once more, with the data it has kept."""
    process = subprocess.Popen(redis.Server(folder / "redis").command(), stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


async def test_a_redis_that_comes_back_with_old_data_is_not_believed(
    tmp_path: Path, store_database: TestDatabase
) -> None:
    with redis.running(tmp_path, durable=True) as url:
        async with caching(config_of(url), store_database.app) as parts:
            await parts.reads.read("thing:1", [TAG], giving(b"old"))
            with suppress(RedisAway):
                await parts.link.command("SHUTDOWN")
            with started_again(tmp_path):
                kept = await answered(parts, "GET", "gerai:v1:thing:1")
                assert isinstance(kept, bytes)
                assert kept.endswith(b"old")
                async with asyncio.timeout(5):
                    while not parts.link.available:
                        await asyncio.sleep(0.01)
                found = await parts.reads.read("thing:1", [TAG], giving(b"new"))
                assert found == status.Cached(b"new", status.STORED)


async def answered(parts: CacheParts, *command: str) -> Reply:
    """Return Redis's reply as soon as there is one."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await parts.link.command(*command)
            except RedisAway:
                await asyncio.sleep(0.02)


async def test_a_frozen_redis_costs_the_first_readers_one_time_limit(
    server: RedisConfig, store_database: TestDatabase, tmp_path: Path
) -> None:
    quick = msgspec.structs.replace(server, timeout_ms=20)
    pid = int((tmp_path / "redis" / "redis.pid").read_text())
    async with caching(quick, store_database.app) as parts:
        await parts.era.confirm()
        os.kill(pid, signal.SIGSTOP)
        try:
            for _ in range(5):
                found = await parts.reads.read("thing:1", [TAG], giving(b"x"))
                assert found == status.Cached(b"x", status.UNAVAILABLE)
            assert not parts.link.available
            began = time.monotonic()
            for _ in range(100):
                await parts.reads.read("thing:1", [TAG], giving(b"x"))
            assert time.monotonic() - began < 1
        finally:
            os.kill(pid, signal.SIGCONT)
        async with asyncio.timeout(5):
            while (await parts.reads.read("thing:1", [TAG], giving(b"x"))).status == status.UNAVAILABLE:
                await asyncio.sleep(0.02)


async def test_a_process_that_is_busy_does_not_blame_redis(
    redis_config: RedisConfig, store_database: TestDatabase
) -> None:
    quick = msgspec.structs.replace(redis_config, timeout_ms=20)
    async with caching(quick, store_database.app) as parts:
        async with asyncio.timeout(10):  # until the machine lets Redis answer in time
            while (await parts.reads.read("thing:1", [TAG], giving(b"x"))).status != status.HIT:
                await asyncio.sleep(0.02)
        asking = asyncio.create_task(parts.reads.read("thing:1", [TAG], giving(b"other")))
        await asyncio.sleep(0)
        time.sleep(0.1)  # noqa: ASYNC251 - holds up everything in this process
        assert (await asking).status == status.HIT
