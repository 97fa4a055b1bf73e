"""What a caller sees when a neighbour fails, over real sockets."""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import NoneType

import msgspec
import pytest

from infra.embedded.ports import free_port
from shared.errors import BadGateway, GatewayTimeout, GeraiError, ServiceUnavailable
from shared.http import ATTEMPT_SECONDS, ATTEMPTS, BUDGET_SECONDS, Rejected, ServiceClient

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Answer(msgspec.Struct):
    name: str


class Neighbour:
    """A server that does as told, request by request; the last behaviour repeats."""

    def __init__(self, *behaviours: bytes | None) -> None:
        self._behaviours = list(behaviours)
        self.requests: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests.append(head)
                length = re.search(rb"content-length: (\d+)", head.lower())
                await reader.readexactly(int(length[1]) if length else 0)
                behaviour = self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0]
                if behaviour is None:
                    await reader.read()
                    return
                writer.write(behaviour)
                await writer.drain()
                if not behaviour.startswith(b"HTTP/1.1 "):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def answer(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
        status,
        len(body),
        body,
    )


@asynccontextmanager
async def client_of(neighbour: Neighbour) -> AsyncGenerator[ServiceClient]:
    server = await asyncio.start_server(neighbour.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = ServiceClient("store", f"http://127.0.0.1:{port}")
    try:
        yield client
    finally:
        await client.close()
        server.close()


OK = answer(200, b'{"name": "kopi"}')
UNAVAILABLE = answer(503, b"{}")
SILENCE = None
CUT = b""


async def test_an_answer_is_decoded() -> None:
    async with client_of(Neighbour(OK)) as client:
        assert await client.get("/x", Answer) == Answer("kopi")


@pytest.mark.parametrize("failure", [UNAVAILABLE, CUT, answer(502, b""), answer(504, b"")])
async def test_a_passing_failure_is_not_seen(failure: bytes) -> None:
    neighbour = Neighbour(failure, OK)
    async with client_of(neighbour) as client:
        assert await client.get("/x", Answer) == Answer("kopi")
    assert len(neighbour.requests) == 2


@pytest.mark.parametrize(
    ("behaviour", "error", "attempts"),
    [
        (UNAVAILABLE, ServiceUnavailable, ATTEMPTS),
        (CUT, ServiceUnavailable, ATTEMPTS),
        (answer(500, b"{}"), BadGateway, 1),
        (answer(200, b"garbage"), BadGateway, 1),
        (answer(200, b'{"name": 1}'), BadGateway, 1),
        (answer(200, b'{"name": "\xff"}'), BadGateway, 1),
        (answer(404, b"garbage"), BadGateway, 1),
        (answer(302, b""), BadGateway, 1),
    ],
)
async def test_a_lasting_failure_becomes_one_error(
    behaviour: bytes, error: type[GeraiError], attempts: int
) -> None:
    neighbour = Neighbour(behaviour)
    async with client_of(neighbour) as client:
        with pytest.raises(error):
            await client.get("/x", Answer)
    assert len(neighbour.requests) == attempts


async def test_silence_ends_within_the_budget() -> None:
    async with client_of(Neighbour(SILENCE)) as client:
        started = time.monotonic()
        with pytest.raises(GatewayTimeout):
            await client.get("/x", Answer)
    assert time.monotonic() - started < BUDGET_SECONDS + ATTEMPT_SECONDS


async def test_nobody_listening_is_unavailable() -> None:
    client = ServiceClient("store", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ServiceUnavailable):
        await client.get("/x", Answer)
    await client.close()


async def test_a_refusal_keeps_its_code_and_is_not_repeated() -> None:
    body = b'{"status_code": 404, "message": "no", "error": {"code": "CLIENT_NOT_FOUND", "trace_id": "0"}}'
    neighbour = Neighbour(answer(404, body))
    async with client_of(neighbour) as client:
        with pytest.raises(Rejected) as raised:
            await client.get("/x", Answer)
    assert (raised.value.status, raised.value.code, len(neighbour.requests)) == (404, "CLIENT_NOT_FOUND", 1)


async def test_what_may_change_something_is_sent_once() -> None:
    neighbour = Neighbour(UNAVAILABLE)
    async with client_of(neighbour) as client:
        with pytest.raises(ServiceUnavailable):
            await client.post_form("/x", {"a": "b"}, Answer)
    assert len(neighbour.requests) == 1


async def test_json_is_put_and_deleted_again() -> None:
    neighbour = Neighbour(CUT, answer(204, b""), OK, OK)
    async with client_of(neighbour) as client:
        await client.put("/x", NoneType, {"token": "t"})
        assert await client.put("/x", Answer, {"token": "t"}) == Answer("kopi")
        assert await client.delete("/x", Answer) == Answer("kopi")
        await client.delete("/x", NoneType)
    assert len(neighbour.requests) == 5
    assert b"content-type: application/json" in neighbour.requests[0].lower()


async def test_cancelled_calls_cost_no_connection() -> None:
    neighbour = Neighbour(OK)
    async with client_of(neighbour) as client:
        for _ in range(200):
            task = asyncio.create_task(client.get("/x", Answer))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert await asyncio.gather(*(client.get("/x", Answer) for _ in range(50))) == [Answer("kopi")] * 50
