"""Redis over TLS, as ElastiCache has it: every client of ours speaks it, and trusts not just anyone."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from pathlib import Path

import msgspec
import pytest
from redis.exceptions import RedisError

from infra.embedded import redis as embedded
from infra.embedded.settings import RedisAddress
from shared.cache.link import RedisAway, RedisLink
from shared.config import RedisConfig
from shared.events.streams import Stream, streams_client
from tests.support.certificates import certificate, ending_tls


@pytest.fixture
async def config(
    redis_config: RedisConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[RedisConfig]:
    made, key = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made))
    async with ending_tls(redis_config.port, made, key) as port:
        yield msgspec.structs.replace(redis_config, host="localhost", port=port, tls=True, timeout_ms=1000)


async def test_the_cache_and_the_streams_speak_tls(config: RedisConfig) -> None:
    link, streams = RedisLink(config), streams_client(config)
    assert await link.command("ECHO", "spoken") == b"spoken"
    assert await Stream(streams, "tls").length() == 0
    await streams.aclose()
    await link.close()


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    config: RedisConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises((RedisError, ssl.SSLError)):
        await Stream(streams_client(config), "tls").length()
    with pytest.raises(RedisAway):
        await RedisLink(config).command("ECHO", "unspoken")


async def test_a_certificate_of_another_name_is_refused(config: RedisConfig) -> None:
    elsewhere = msgspec.structs.replace(config, host="127.0.0.1")
    with pytest.raises((RedisError, ssl.SSLError)):
        await Stream(streams_client(elsewhere), "tls").length()
    with pytest.raises(RedisAway):
        await RedisLink(elsewhere).command("ECHO", "unspoken")


async def test_the_launcher_waits_for_a_redis_that_speaks_tls(config: RedisConfig) -> None:
    password = config.password.reveal() if config.password else ""
    address = RedisAddress(config.host, config.port, password, tls=True)
    assert await asyncio.to_thread(embedded.answers, address)
