"""What a client is told when a service fails, and that nothing is sent twice."""

import asyncio
import socket
import struct

import pytest

from infra.embedded.ports import free_port
from tests.support.fake_service import FakeService, Received, fake_service
from tests.support.gateway import QUICK_SECONDS, RunningGateway, running_gateway


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection as a crash does, with RST instead of FIN."""
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def test_a_service_that_is_not_there_is_unavailable(
    gateway: RunningGateway, store: FakeService
) -> None:
    del store
    answer = await gateway.send(b"POST /v1/master-client HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
    assert answer.status == 503
    assert answer.error["code"] == "SERVICE_UNAVAILABLE"
    assert int(answer.all(b"retry-after")[0]) >= 1
    assert len(answer.all(b"x-request-id")) == 1


async def test_a_refused_connection_is_tried_again(store: FakeService) -> None:
    port = free_port()
    urls = {"auth": store.url, "client": store.url, "store": f"http://127.0.0.1:{port}"}
    async with running_gateway(urls) as own:
        assert await _served_by_a_late_service(own, port)


async def _served_by_a_late_service(gateway: RunningGateway, port: int) -> bool:
    for _ in range(10):  # the service has to come within the gateway's pause
        sending = asyncio.create_task(
            gateway.send(b"POST /v1/stores HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
        )
        await asyncio.sleep(0.02)
        async with fake_service(port) as late:
            if (await sending).status == 200:
                return late.bodies == [b"{}"]
    return False


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HELLO\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\x00b\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 O",
    ],
)
@pytest.mark.parametrize("method", [b"GET", b"POST"])
async def test_a_broken_answer_is_a_bad_gateway_and_the_request_is_sent_once(
    gateway: RunningGateway, store: FakeService, answer: bytes, method: bytes
) -> None:
    async def breaking(request: Received, writer: asyncio.StreamWriter) -> None:
        del request
        writer.write(answer)
        writer.close()

    store.behaviour = breaking
    got = await gateway.send(method + b" /v1/stores HTTP/1.1\r\n\r\n")
    assert got.status == 502
    assert got.error["code"] == "BAD_GATEWAY"
    assert len(store.requests) == 1


async def test_a_reset_is_a_bad_gateway(gateway: RunningGateway, store: FakeService) -> None:
    async def resetting(request: Received, writer: asyncio.StreamWriter) -> None:
        await request.body()
        reset(writer)

    store.behaviour = resetting
    answer = await gateway.send(b"POST /v1/stores HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
    assert answer.status == 502
    assert len(store.requests) == 1


async def test_a_slow_service_is_given_up(gateway: RunningGateway, store: FakeService) -> None:
    gone = asyncio.Event()

    async def never(request: Received, writer: asyncio.StreamWriter) -> None:
        await store.wait_until_left(request)
        gone.set()
        writer.close()

    store.behaviour = never
    started = asyncio.get_running_loop().time()
    answer = await gateway.send(b"GET /v1/quick HTTP/1.1\r\n\r\n")
    assert answer.status == 504
    assert answer.error["code"] == "GATEWAY_TIMEOUT"
    assert QUICK_SECONDS <= asyncio.get_running_loop().time() - started < QUICK_SECONDS + 1
    async with asyncio.timeout(1):
        await gone.wait()


async def test_a_service_that_stops_reading_is_given_up(gateway: RunningGateway, store: FakeService) -> None:
    async def deaf(request: Received, writer: asyncio.StreamWriter) -> None:
        del request, writer
        await asyncio.sleep(5)

    store.behaviour = deaf
    async with gateway.client() as client:
        answer = await client.post("/v1/large-quick", content=b"x" * 50_000_000)
    assert answer.status_code == 504


@pytest.mark.parametrize("framing", [b"content-length: 1000000", b"transfer-encoding: chunked"])
@pytest.mark.parametrize("end", [reset, asyncio.StreamWriter.close])
async def test_an_answer_that_breaks_off_is_aborted(
    gateway: RunningGateway, store: FakeService, framing: bytes, end: object
) -> None:
    async def breaking_off(request: Received, writer: asyncio.StreamWriter) -> None:
        del request
        piece = b"x" * 100_000
        chunk = b"186a0\r\n" + piece + b"\r\n" if b"chunked" in framing else piece
        writer.write(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n" + chunk)
        await writer.drain()
        await asyncio.sleep(0.2)
        assert callable(end)
        end(writer)

    store.behaviour = breaking_off
    answer = await gateway.send(b"GET /v1/stores HTTP/1.1\r\n\r\n")
    assert answer.status == 200
    assert 100_000 <= len(answer.body) < 1_000_000
    assert not answer.body.endswith(b"0\r\n\r\n")


async def test_an_answer_that_stalls_is_aborted(gateway: RunningGateway, store: FakeService) -> None:
    async def stalling(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await store.wait_until_left(request)
        writer.close()

    store.behaviour = stalling
    answer = await gateway.send(b"GET /v1/quick HTTP/1.1\r\n\r\n")
    assert answer.body == b"3\r\nabc\r\n"


async def test_a_service_that_breaks_during_an_upload_is_a_bad_gateway(
    gateway: RunningGateway, store: FakeService
) -> None:
    async def resetting(request: Received, writer: asyncio.StreamWriter) -> None:
        await request.reader.read(1000)
        reset(writer)

    store.behaviour = resetting
    async with gateway.client() as client:
        answer = await client.post("/v1/large", content=b"x" * 20_000_000)
    assert answer.status_code == 502
    assert len(store.requests) == 1


async def test_a_service_may_answer_before_an_upload_ends(
    gateway: RunningGateway, store: FakeService
) -> None:
    async def refusing(request: Received, writer: asyncio.StreamWriter) -> None:
        await request.reader.read(1000)
        writer.write(b"HTTP/1.1 409 Conflict\r\ncontent-length: 2\r\n\r\nno")
        await writer.drain()
        await asyncio.sleep(5)  # without reading on

    store.behaviour = refusing
    async with gateway.client() as client:
        answer = await client.post("/v1/large", content=b"x" * 20_000_000)
        assert (answer.status_code, answer.content) == (409, b"no")
        store.behaviour = None
        assert (await client.get("/v1/stores")).status_code == 200


GOOD = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ngood"
EVIL = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"


@pytest.fixture
async def no_idle_connections(store: FakeService) -> None:
    for writer in store.open:
        writer.close()
    await asyncio.sleep(0.1)


async def expect_good_on_a_new_connection(gateway: RunningGateway, store: FakeService) -> None:
    opened = store.opened
    store.answer = GOOD
    assert (await gateway.send(b"GET /v1/stores/2 HTTP/1.1\r\n\r\n")).body == b"good"
    assert store.opened == opened + 1


@pytest.mark.usefixtures("no_idle_connections")
@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
async def test_words_after_an_answer_are_not_taken_for_the_next_one(
    gateway: RunningGateway, store: FakeService, method: bytes
) -> None:
    """An answer that was smuggled behind another must not reach the next client."""
    store.answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n" + EVIL
    assert (await gateway.send(method + b" /v1/stores/1 HTTP/1.1\r\n\r\n")).body == b""
    await expect_good_on_a_new_connection(gateway, store)


@pytest.mark.usefixtures("no_idle_connections")
async def test_a_body_where_none_may_be_is_not_taken_for_the_next_answer(
    gateway: RunningGateway, store: FakeService
) -> None:
    store.answer = EVIL
    assert (await gateway.send(b"HEAD /v1/stores/1 HTTP/1.1\r\n\r\n")).body == b""
    await expect_good_on_a_new_connection(gateway, store)


@pytest.mark.usefixtures("no_idle_connections")
async def test_words_on_an_idle_connection_are_not_taken_for_an_answer(
    gateway: RunningGateway, store: FakeService
) -> None:
    await gateway.send(b"GET /v1/stores/1 HTTP/1.1\r\n\r\n")
    for writer in store.open:
        writer.write(EVIL)
    await asyncio.sleep(0.1)
    await expect_good_on_a_new_connection(gateway, store)
