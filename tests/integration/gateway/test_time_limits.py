"""The time limit that a request carries through the gateway."""

import asyncio

import pytest

from gateway.constants import ANSWER_SECONDS
from tests.support.fake_service import FakeService, Received
from tests.support.gateway import RunningGateway

HEADER = b"x-request-timeout-ms"


async def get(gateway: RunningGateway, *limits: bytes) -> int:
    lines = b"".join(b"\r\nX-Request-Timeout-Ms: " + each for each in limits)
    return (await gateway.send(b"GET /v1/stores HTTP/1.1" + lines + b"\r\n\r\n")).status


async def test_the_route_sets_the_limit(gateway: RunningGateway, store: FakeService) -> None:
    assert await get(gateway) == 200
    assert store.requests[0].one(HEADER) == b"%d" % (ANSWER_SECONDS * 1000)


@pytest.mark.parametrize(("asked", "passed"), [(b"1500", b"1500"), (b"999999", b"15000"), (b"1", b"1")])
async def test_a_client_may_lower_it_and_never_raise_it(
    gateway: RunningGateway, store: FakeService, asked: bytes, passed: bytes
) -> None:
    await get(gateway, asked)
    assert store.requests[0].one(HEADER) == passed


@pytest.mark.parametrize("limits", [[b"soon"], [b"-1"], [b"1.5"], [b""], [b"9" * 10], [b"1", b"2"]])
async def test_a_limit_that_cannot_be_read_is_refused(
    gateway: RunningGateway, store: FakeService, limits: list[bytes]
) -> None:
    assert await get(gateway, *limits) == 400
    assert store.requests == []


async def test_nothing_is_sent_when_no_time_is_left(gateway: RunningGateway, store: FakeService) -> None:
    assert await get(gateway, b"0") == 504
    assert store.requests == []


async def test_a_service_that_ignores_the_limit_is_given_up(
    gateway: RunningGateway, store: FakeService
) -> None:
    async def never(request: Received, writer: asyncio.StreamWriter) -> None:
        await store.wait_until_left(request)
        writer.close()

    store.behaviour = never
    started = asyncio.get_running_loop().time()
    assert await get(gateway, b"300") == 504
    assert 0.3 <= asyncio.get_running_loop().time() - started < 0.8
