"""What a caller sees when a neighbour fails, over real sockets."""

import asyncio
import socket
import struct
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import formatdate
from types import NoneType

import msgspec
import pytest

from infra.embedded.ports import free_port
from shared.deadline import RAW_HEADER, Deadlines
from shared.errors import BadGateway, GatewayTimeout, GeraiError, ServiceUnavailable
from shared.http import ATTEMPT_SECONDS, ATTEMPTS, BUDGET_SECONDS, Rejected, ServiceClient
from shared.http.breaker import BreakerRules, State
from shared.http.client import MARGIN_SECONDS, MOST_UNDER_WAY
from shared.telemetry.calls import CALLS
from tests.support.fake_service import FakeService, Received, fake_service


class Answer(msgspec.Struct):
    name: str


Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 16\r\n\r\n"


def answer(status: int, body: bytes, *headers: str) -> bytes:
    lines = "".join(f"{each}\r\n" for each in headers).encode()
    return b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n%s\r\n%s" % (status, len(body), lines, body)


OK = answer(200, b'{"name": "kopi"}')
REFUSAL = answer(
    404, b'{"status_code": 404, "message": "no", "error": {"code": "CLIENT_NOT_FOUND", "trace_id": "0"}}'
)


def sending(data: bytes) -> Behaviour:
    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return send


def cutting(data: bytes) -> Behaviour:
    async def cut(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        writer.close()

    return cut


def resetting(data: bytes) -> Behaviour:
    async def reset(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        sock: socket.socket = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return reset


async def dripping(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD)
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.3)


@asynccontextmanager
async def neighbour(*behaviours: Behaviour) -> AsyncGenerator[tuple[ServiceClient, FakeService]]:
    """Run a neighbour that does as told, request by request; the last behaviour repeats."""
    left = list(behaviours)

    async def behave(request: Received, writer: asyncio.StreamWriter) -> None:
        await request.body()
        await (left.pop(0) if len(left) > 1 else left[0])(writer)

    async with fake_service() as service:
        service.behaviour = behave
        client = ServiceClient("store", service.url)
        try:
            yield client, service
        finally:
            await client.close()


@dataclass(frozen=True)
class Failure:
    """What a neighbour does, and what its caller sees: the error, after how many requests and seconds."""

    behaviour: Behaviour
    error: type[GeraiError]
    requests: int
    longest: float = 2.0
    retry_after: str | None = "1"


SILENT = BUDGET_SECONDS + 0.5

FAILURES = {
    "reset before the head": Failure(resetting(b""), ServiceUnavailable, ATTEMPTS),
    "closed before the head": Failure(cutting(b""), ServiceUnavailable, ATTEMPTS),
    "reset within the head": Failure(resetting(HEAD[:20]), ServiceUnavailable, ATTEMPTS),
    "reset after the head": Failure(resetting(HEAD), ServiceUnavailable, ATTEMPTS),
    "closed within the body": Failure(cutting(HEAD + b'{"name'), ServiceUnavailable, ATTEMPTS),
    "no head": Failure(sending(b""), GatewayTimeout, 2, SILENT),
    "no body": Failure(sending(HEAD), GatewayTimeout, 2, SILENT),
    "slow drip": Failure(dripping, GatewayTimeout, 2, SILENT),
    "500": Failure(sending(answer(500, b"{}")), BadGateway, 1, retry_after=None),
    "502": Failure(sending(answer(502, b"{}")), ServiceUnavailable, ATTEMPTS),
    "503": Failure(sending(answer(503, b"{}")), ServiceUnavailable, ATTEMPTS),
    "504": Failure(sending(answer(504, b"{}")), ServiceUnavailable, ATTEMPTS),
    "503, soon again": Failure(
        sending(answer(503, b"{}", "retry-after: 1")), ServiceUnavailable, ATTEMPTS, BUDGET_SECONDS
    ),
    "503, much later": Failure(
        sending(answer(503, b"{}", "Retry-After: 999999")), ServiceUnavailable, 1, 0.5, "999999"
    ),
    "503, at a time long past": Failure(
        sending(answer(503, b"{}", f"Retry-After: {formatdate(0, usegmt=True)}")),
        ServiceUnavailable,
        ATTEMPTS,
    ),
    "503, no idea when": Failure(
        sending(answer(503, b"{}", "Retry-After: soon")), ServiceUnavailable, ATTEMPTS
    ),
    "429": Failure(sending(answer(429, b"{}", "Retry-After: 60")), ServiceUnavailable, 1, 0.5, "60"),
    "no HTTP": Failure(cutting(b"HELLO\r\n\r\n"), BadGateway, 1, retry_after=None),
    "garbage": Failure(sending(answer(200, b"garbage")), BadGateway, 1, retry_after=None),
    "another type": Failure(sending(answer(200, b'{"name": 1}')), BadGateway, 1, retry_after=None),
    "no UTF-8": Failure(sending(answer(200, b'{"name": "\xff"}')), BadGateway, 1, retry_after=None),
    "nothing": Failure(sending(answer(204, b"")), BadGateway, 1, retry_after=None),
    "garbage that refuses": Failure(sending(answer(404, b"garbage")), BadGateway, 1, retry_after=None),
    "elsewhere": Failure(sending(answer(302, b"", "location: /y")), BadGateway, 1, retry_after=None),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
async def test_a_failure_becomes_one_error_in_time(failure: Failure) -> None:
    async with neighbour(failure.behaviour) as (client, service):
        started = time.monotonic()
        with pytest.raises(failure.error) as raised:
            await client.get("/x", Answer)
        assert time.monotonic() - started < failure.longest
        assert raised.value.headers.get("Retry-After") == failure.retry_after
        assert len(service.requests) == failure.requests
        assert client.bulkhead.under_way == 0


async def test_nobody_listening_is_unavailable() -> None:
    client = ServiceClient("store", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ServiceUnavailable) as raised:
        await client.get("/x", Answer)
    assert raised.value.headers["Retry-After"] == "1"
    await client.close()


@pytest.mark.parametrize("name", ["reset before the head", "reset after the head", "502", "503", "504"])
async def test_a_passing_failure_is_not_seen(name: str) -> None:
    retries = CALLS.value("retries", "store")
    async with neighbour(FAILURES[name].behaviour, sending(OK)) as (client, service):
        assert await client.get("/x", Answer) == Answer("kopi")
        assert len(service.requests) == 2
    assert CALLS.value("retries", "store") == retries + 1


async def test_a_neighbour_is_not_asked_again_before_the_time_it_said() -> None:
    later = sending(answer(503, b"{}", "Retry-After: 1"))
    async with neighbour(later, sending(OK)) as (client, _):
        started = time.monotonic()
        assert await client.get("/x", Answer) == Answer("kopi")
    assert 1 <= time.monotonic() - started < 2


async def test_a_refusal_keeps_its_code_and_is_not_repeated() -> None:
    async with neighbour(sending(REFUSAL)) as (client, service):
        with pytest.raises(Rejected) as raised:
            await client.get("/x", Answer)
        assert len(service.requests) == 1
    assert (raised.value.status, raised.value.code) == (404, "CLIENT_NOT_FOUND")


async def test_what_may_change_something_is_sent_once() -> None:
    async with neighbour(FAILURES["503"].behaviour) as (client, service):
        with pytest.raises(ServiceUnavailable):
            await client.post_form("/x", {"a": "b"}, Answer)
        assert len(service.requests) == 1


async def test_json_is_put_and_deleted_again() -> None:
    behaviours = cutting(b""), sending(answer(204, b"")), sending(OK), sending(OK)
    async with neighbour(*behaviours) as (client, service):
        await client.put("/x", NoneType, {"token": "t"})
        assert await client.put("/x", Answer, {"token": "t"}) == Answer("kopi")
        assert await client.delete("/x", Answer) == Answer("kopi")
        await client.delete("/x", NoneType)
        assert len(service.requests) == 5
        assert service.requests[0].one(b"content-type") == b"application/json"


async def within(milliseconds: int, work: Callable[[], Awaitable[object]]) -> None:
    """Do `work` as the service of a request with this time limit would."""

    async def app(*_: object) -> None:
        await work()

    async def none(*_: object) -> None: ...

    scope = {"type": "http", "headers": [(RAW_HEADER, b"%d" % milliseconds)]}
    await Deadlines(app)(scope, none, none)  # type: ignore[arg-type] - the least of a scope


async def test_a_call_ends_before_the_request_it_is_for() -> None:
    seen: list[BaseException] = []
    async with neighbour(sending(b"")) as (client, service):

        async def call() -> None:
            try:
                await client.get("/x", Answer)
            except GatewayTimeout as error:
                seen.append(error)

        started = time.monotonic()
        await within(500, call)
        assert time.monotonic() - started < 0.5
        assert type(seen[0]) is GatewayTimeout
        passed = int(service.requests[0].one(RAW_HEADER))
        assert 350 < passed <= 500 - MARGIN_SECONDS * 1000


async def test_a_call_for_which_no_time_is_left_is_not_sent() -> None:
    async with neighbour(sending(OK)) as (client, service):

        async def call() -> None:
            with pytest.raises(GatewayTimeout) as raised:
                await client.get("/x", Answer)
            assert raised.value.code == "DEADLINE_EXCEEDED"

        await within(int(MARGIN_SECONDS * 1000), call)
        assert service.requests == []


async def test_without_a_limit_a_neighbour_gets_that_of_one_attempt() -> None:
    async with neighbour(sending(OK)) as (client, service):
        await client.get("/x", Answer)
        assert 0 < int(service.requests[0].one(RAW_HEADER)) <= ATTEMPT_SECONDS * 1000


async def test_a_neighbour_that_keeps_failing_is_left_alone_until_it_recovers() -> None:
    failing = True

    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(answer(500, b"{}") if failing else OK)

    async with neighbour(behave) as (client, service):
        for _ in range(20):
            with pytest.raises(BadGateway):
                await client.get("/x", Answer)
        refused = CALLS.value("short_circuited", "store")
        started = time.monotonic()
        for _ in range(50):
            with pytest.raises(ServiceUnavailable) as raised:
                await client.get("/x", Answer)
            assert int(raised.value.headers["Retry-After"]) >= 1
        assert (time.monotonic() - started) / 50 < 0.005
        assert len(service.requests) == 20
        assert CALLS.value("short_circuited", "store") == refused + 50
        assert CALLS.breakers["store"] == State.OPEN
        failing = False
        async with asyncio.timeout(BreakerRules().longest_open):
            while client.breaker.state is not State.CLOSED:
                await asyncio.gather(client.get("/x", Answer), return_exceptions=True)
                await asyncio.sleep(0.01)
        assert CALLS.breakers["store"] == State.CLOSED


async def test_no_more_than_so_many_calls_are_under_way() -> None:
    answering = asyncio.Event()

    async def wait(writer: asyncio.StreamWriter) -> None:
        await answering.wait()
        writer.write(OK)

    async with neighbour(wait) as (client, service):
        first = [asyncio.create_task(client.get("/x", Answer)) for _ in range(MOST_UNDER_WAY)]
        async with asyncio.timeout(5):
            while len(service.requests) < MOST_UNDER_WAY:
                await asyncio.sleep(0.01)
        started = time.monotonic()
        with pytest.raises(ServiceUnavailable) as raised:
            await client.get("/x", Answer)
        assert time.monotonic() - started < 0.5
        assert raised.value.headers["Retry-After"] == "1"
        answering.set()
        assert await asyncio.gather(*first) == [Answer("kopi")] * MOST_UNDER_WAY
        assert len(service.requests) == MOST_UNDER_WAY


async def test_cancelled_calls_cost_neither_places_nor_connections() -> None:
    async def late(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.002)
        writer.write(OK)

    async with neighbour(late) as (client, service):
        for number in range(20):
            calls = [asyncio.create_task(client.get("/x", Answer)) for _ in range(100)]
            for _ in range(number):
                await asyncio.sleep(0)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
        assert client.bulkhead.under_way == 0
        assert client.breaker.state is State.CLOSED
        for _ in range(2):
            calls = [asyncio.create_task(client.get("/x", Answer)) for _ in range(MOST_UNDER_WAY)]
            assert await asyncio.gather(*calls) == [Answer("kopi")] * MOST_UNDER_WAY
        async with asyncio.timeout(5):
            while len(service.open) > MOST_UNDER_WAY:
                await asyncio.sleep(0.01)
