import asyncio
import time
from collections.abc import AsyncGenerator

import msgspec
import pytest

from infra.embedded.ports import free_port
from shared.cache.values import KEY_PREFIX, Cache
from shared.config import RedisConfig


class Shop(msgspec.Struct):
    name: str
    size: int


@pytest.fixture
async def cache(redis_config: RedisConfig) -> AsyncGenerator[Cache]:
    cache = Cache(redis_config)
    yield cache
    await cache.close()


async def test_a_value_comes_back_typed_until_it_is_deleted(cache: Cache) -> None:
    assert await cache.set("shop", Shop("Kopi", 3), seconds=60)
    assert await cache.get("shop", Shop) == Shop("Kopi", 3)
    assert await cache.delete("shop")
    assert await cache.get("shop", Shop) is None


async def test_a_value_ends_with_its_time(cache: Cache) -> None:
    await cache.set("brief", Shop("Teh", 1), seconds=60)
    assert await cache.expire("brief", 0.001)
    async with asyncio.timeout(5):
        while await cache.get("brief", Shop) is not None:
            await asyncio.sleep(0.001)
    assert not await cache.expire("brief", 60)


async def test_an_unreadable_value_is_a_miss_and_goes(cache: Cache) -> None:
    await cache.set("odd", {"something": "else"}, seconds=60)
    assert await cache.get("odd", Shop) is None
    assert await cache.get("odd", dict[str, str]) is None


def test_keys_carry_application_and_version() -> None:
    assert KEY_PREFIX == "gerai:v1:"


async def test_without_redis_every_answer_is_a_quick_miss() -> None:
    cache = Cache(RedisConfig(host="127.0.0.1", port=free_port()))
    started = time.monotonic()
    assert await cache.get("shop", Shop) is None
    assert not await cache.set("shop", Shop("Kopi", 3), seconds=60)
    assert not await cache.delete("shop")
    assert not await cache.expire("shop", 60)
    await cache.close()
    assert time.monotonic() - started < 2
