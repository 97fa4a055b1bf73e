"""uvicorn's protocol as we run it."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from litestar.types import HTTPScope, Receive, Send

from infra.embedded.ports import free_port
from shared.protocol import MOST_HEAD_BYTES, GatheringTransport, HttpProtocol

Headers = list[tuple[bytes, bytes]]


class Echo:
    """An application that keeps the headers it is given and answers in two messages."""

    def __init__(self) -> None:
        self.headers: list[Headers] = []

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        more = True
        while more:
            message = await receive()
            assert message["type"] == "http.request"
            more = message["more_body"]
        self.headers.append(list(scope["headers"]))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok", "more_body": False})


@asynccontextmanager
async def echoing() -> AsyncGenerator[tuple[Echo, int]]:
    echo, port = Echo(), free_port()
    config = uvicorn.Config(
        echo, port=port, http=HttpProtocol, log_config=None, lifespan="off", loop="asyncio"
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield echo, port
    finally:
        server.should_exit = True
        await task


async def talk(port: int, *pieces: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.02)
    answer = await reader.readuntil(b"\r\n\r\n")
    length = int(answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    body = await reader.readexactly(length)
    writer.close()
    return answer + body


@pytest.mark.parametrize("apart", [True, False])
async def test_trailers_do_not_become_headers(*, apart: bool) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    rest = b"1\r\na\r\n0\r\nX-User-ID: admin\r\n\r\n"
    async with echoing() as (echo, port):
        await talk(port, *([head, rest] if apart else [head + rest]))
    assert echo.headers == [[(b"host", b"x"), (b"transfer-encoding", b"chunked")]]


async def test_the_next_request_on_a_connection_has_headers_of_its_own() -> None:
    async with echoing() as (echo, port):
        one = b"GET / HTTP/1.1\r\nHost: x\r\nX-Number: %d\r\n\r\n"
        await talk(port, one % 1 + one % 2, one % 3)
        await asyncio.sleep(0.05)
    assert [dict(headers)[b"x-number"] for headers in echo.headers] == [b"1", b"2", b"3"]


@pytest.mark.parametrize("endless", [b"X-Padding: " + b"x" * 4000 + b"\r\n", b"x" * 4000])
async def test_an_endless_head_is_refused(endless: bytes) -> None:
    async with echoing() as (echo, port):
        pieces = [endless] * (MOST_HEAD_BYTES // len(endless) + 2)
        answer = await talk(port, b"GET /" if b":" not in endless else b"GET / HTTP/1.1\r\n", *pieces)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"connection: close" in answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "HEAD_TOO_LARGE"
    assert not echo.headers


async def test_what_is_no_http_gets_a_request_id() -> None:
    async with echoing() as (_, port):
        answers = [await talk(port, b"GARBAGE\r\n\r\n") for _ in range(2)]
    ids = [answer.partition(b"\r\nx-request-id: ")[2].partition(b"\r\n")[0] for answer in answers]
    assert all(ids)
    assert len(set(ids)) == 2


async def test_a_large_head_that_ends_is_read() -> None:
    async with echoing() as (echo, port):
        pieces = [b"X-Padding: " + b"x" * 4000 + b"\r\n"] * 10
        answer = await talk(port, b"GET / HTTP/1.1\r\nHost: x\r\n", *pieces, b"\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert len(echo.headers[0]) == 11


async def test_a_large_body_is_no_large_head() -> None:
    async with echoing() as (_, port):
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (2 * MOST_HEAD_BYTES)
        answer = await talk(port, head, *[b"x" * MOST_HEAD_BYTES] * 2)
    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_a_head_behind_a_large_body_is_no_large_head() -> None:
    async with echoing() as (echo, port):
        first = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (2 * MOST_HEAD_BYTES)
        await talk(port, first + b"x" * 2 * MOST_HEAD_BYTES + b"GET / HTTP/1.1\r\n", b"X-Two: 2\r\n\r\n")
        await asyncio.sleep(0.05)
    assert [dict(headers).get(b"x-two") for headers in echo.headers] == [None, b"2"]


class NotingTransport(asyncio.Transport):
    """A transport that notes each system call it would make."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[bytes] = []

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        self.calls.append(b"".join(list_of_data))

    def is_closing(self) -> bool:
        return b"closed" in self.calls

    def close(self) -> None:
        self.calls.append(b"closed")


async def test_what_is_written_in_one_turn_is_sent_at_once() -> None:
    noting = NotingTransport()
    transport = GatheringTransport(noting, asyncio.get_running_loop())
    transport.write(b"head")
    transport.write(b"body")
    assert not noting.calls
    await asyncio.sleep(0)
    assert noting.calls == [b"headbody"]


async def test_much_is_sent_without_waiting_for_the_turn_to_end() -> None:
    noting = NotingTransport()
    transport = GatheringTransport(noting, asyncio.get_running_loop())
    transport.write(b"x" * 70_000)
    assert [len(call) for call in noting.calls] == [70_000]


async def test_closing_sends_what_is_left() -> None:
    noting = NotingTransport()
    transport = GatheringTransport(noting, asyncio.get_running_loop())
    transport.write(b"last")
    transport.close()
    await asyncio.sleep(0)
    assert noting.calls == [b"last", b"closed"]
