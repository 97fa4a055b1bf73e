"""Large bodies pass in bounded memory at the speed of the slower side, and clients may leave at any time."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from gateway.constants import MEBIBYTE
from tests.support.fake_service import FakeService, Received
from tests.support.gateway import RunningGateway

LARGE = 50 * MEBIBYTE
PIECE = bytes(range(256)) * 256
MOST_EXTRA_MEMORY = 16 * MEBIBYTE

CANCELLED = 2000
AT_A_TIME = 50


@dataclass
class Memory:
    """The most memory that the gateway had in a while, above what it had before."""

    extra: int = 0


@asynccontextmanager
async def peak_memory(gateway: RunningGateway) -> AsyncGenerator[Memory]:
    memory, before = Memory(), gateway.memory()

    async def watch() -> None:
        while True:
            memory.extra = max(memory.extra, gateway.memory() - before)
            await asyncio.sleep(0.01)

    watching = asyncio.create_task(watch())
    yield memory
    watching.cancel()


async def large_answer(request: Received, writer: asyncio.StreamWriter) -> None:
    del request
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % LARGE)
    for _ in range(LARGE // len(PIECE)):
        writer.write(PIECE)
        await writer.drain()


async def test_a_large_answer_passes_in_bounded_memory(gateway: RunningGateway, store: FakeService) -> None:
    store.behaviour = large_answer
    received = 0
    async with (
        peak_memory(gateway) as memory,
        gateway.client() as client,
        client.stream("GET", "/v1/large") as answer,
    ):
        async for piece in answer.aiter_raw():
            received += len(piece)
    assert received == LARGE
    assert memory.extra < MOST_EXTRA_MEMORY


async def test_a_large_body_passes_in_bounded_memory(gateway: RunningGateway, store: FakeService) -> None:
    received = 0

    async def counting(request: Received, writer: asyncio.StreamWriter) -> None:
        nonlocal received
        async for piece in request.pieces():
            received += len(piece)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    async def pieces() -> AsyncGenerator[bytes]:
        for _ in range(LARGE // len(PIECE)):
            yield PIECE

    store.behaviour = counting
    async with peak_memory(gateway) as memory, gateway.client() as client:
        known = await client.post("/v1/large", content=pieces(), headers={"Content-Length": str(LARGE)})
        chunked = await client.post("/v1/large", content=pieces())
    assert (known.status_code, chunked.status_code) == (200, 200)
    assert received == 2 * LARGE
    assert memory.extra < MOST_EXTRA_MEMORY


async def test_a_client_that_reads_slowly_slows_the_service(
    gateway: RunningGateway, store: FakeService
) -> None:
    written = 0

    async def noting(request: Received, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        del request
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % LARGE)
        for _ in range(LARGE // len(PIECE)):
            writer.write(PIECE)
            await writer.drain()
            written += len(PIECE)

    store.behaviour = noting
    reader, writer = await asyncio.open_connection(sock=_small_socket(gateway))
    async with peak_memory(gateway) as memory:
        writer.write(
            f"GET /v1/large HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {gateway.token}\r\n\r\n".encode()
        )
        await reader.readuntil(b"\r\n\r\n")
        await _until_still(lambda: written)
        assert written < LARGE
        await reader.readexactly(LARGE)
    writer.close()
    assert memory.extra < MOST_EXTRA_MEMORY


async def test_a_service_that_reads_slowly_slows_the_client(
    gateway: RunningGateway, store: FakeService
) -> None:
    go_on = asyncio.Event()
    sent = 0

    async def slow(request: Received, writer: asyncio.StreamWriter) -> None:
        await go_on.wait()
        async for _ in request.pieces():
            pass
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    async def pieces() -> AsyncGenerator[bytes]:
        nonlocal sent
        for _ in range(LARGE // len(PIECE)):
            sent += len(PIECE)
            yield PIECE

    store.behaviour = slow
    async with peak_memory(gateway) as memory, gateway.client() as client:
        sending = asyncio.create_task(client.post("/v1/large", content=pieces()))
        await _until_still(lambda: sent)
        assert sent < LARGE
        go_on.set()
        assert (await sending).status_code == 200
    assert memory.extra < MOST_EXTRA_MEMORY


async def test_a_client_that_leaves_ends_the_call(gateway: RunningGateway, store: FakeService) -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def waiting(request: Received, writer: asyncio.StreamWriter) -> None:
        started.set()
        await store.wait_until_left(request)
        ended.set()
        writer.close()

    store.behaviour = waiting
    async with gateway.client() as client:
        call = asyncio.create_task(client.get("/v1/stores"))
        await started.wait()
        call.cancel()
    async with asyncio.timeout(2):
        await ended.wait()


async def test_a_client_that_leaves_during_a_large_answer_ends_it(
    gateway: RunningGateway, store: FakeService
) -> None:
    ended = asyncio.Event()

    async def endless(request: Received, writer: asyncio.StreamWriter) -> None:
        del request
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        try:
            while True:
                writer.write(b"10000\r\n" + PIECE + b"\r\n")
                await writer.drain()
        finally:
            ended.set()

    store.behaviour = endless
    async with gateway.client() as client, client.stream("GET", "/v1/large") as answer:
        await anext(answer.aiter_raw())
    async with asyncio.timeout(2):
        await ended.wait()


async def test_a_client_that_leaves_during_its_upload_ends_it(
    gateway: RunningGateway, store: FakeService
) -> None:
    reader, writer = await gateway.connect()
    head = f"POST /v1/large HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {gateway.token}\r\n"
    writer.write(head.encode() + b"Content-Length: 1000000\r\n\r\n" + PIECE)
    async with asyncio.timeout(5):
        while not store.requests:
            await asyncio.sleep(0.01)
        writer.close()
        while not store.left:
            await asyncio.sleep(0.01)
    assert not await reader.read()
    assert not store.bodies


async def test_two_thousand_clients_that_leave_cost_nothing(
    gateway: RunningGateway, store: FakeService
) -> None:
    async def slow(request: Received, writer: asyncio.StreamWriter) -> None:
        await request.body()
        await asyncio.sleep(0.2)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")

    async def leave(number: int) -> None:
        reader, writer = await gateway.connect()
        method = b"POST" if number % 2 else b"GET"
        body = b"Content-Length: 2\r\n\r\n{}" if number % 2 else b"\r\n"
        head = b"%b /v1/stores HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n"
        writer.write(head % (method, gateway.token.encode()) + body)
        await asyncio.sleep(number % 17 / 100)
        writer.transport.abort()
        del reader

    store.behaviour = slow
    sockets = gateway.sockets()
    for first in range(0, CANCELLED, AT_A_TIME):
        await asyncio.gather(*(leave(number) for number in range(first, first + AT_A_TIME)))
    assert len(store.requests) > CANCELLED / 2
    store.behaviour = None
    async with gateway.client(seconds=2) as client:
        for _ in range(10):
            answers = await asyncio.gather(*(client.get("/v1/stores") for _ in range(10)))
            assert {answer.status_code for answer in answers} == {200}
    await _until_still(gateway.sockets)
    assert gateway.sockets() < sockets + 2 * AT_A_TIME


async def test_many_clients_at_once_are_all_served(gateway: RunningGateway, store: FakeService) -> None:
    del store
    request = b"GET /v1/stores HTTP/1.1\r\n\r\n"
    answers = await asyncio.gather(*(gateway.send(request) for _ in range(300)))
    assert {answer.status for answer in answers} == {200}


def _small_socket(gateway: RunningGateway) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    sock.connect(("127.0.0.1", gateway.port))
    sock.settimeout(0)
    return sock


async def _until_still(value: Callable[[], int]) -> None:
    """Wait until `value` stays the same for half a second."""
    async with asyncio.timeout(20):
        before = -1
        while value() != before:
            before = value()
            await asyncio.sleep(0.5)
