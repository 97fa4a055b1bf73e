"""What clients see of a process that stops, and how long it takes."""

import asyncio
import json
import signal

import httpx
import pytest

from tests.support.draining import Draining, draining

IDLE = b"GET /fast HTTP/1.1\r\nhost: x\r\n\r\n"
AT_ONCE = 1.5


async def idle_connection(process: Draining) -> asyncio.StreamReader:
    """Return a connection that was used and is kept alive."""
    reader = await process.send(IDLE)
    await reader.readuntil(b"done")
    return reader


async def until_not_ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(2):
        while (await client.get("/readyz")).status_code != 503:
            await asyncio.sleep(0.01)


async def test_while_it_drains_it_answers_and_ends_each_connection() -> None:
    async with draining(drain=1) as process, process.client() as client:
        slow = asyncio.create_task(client.get("/slow", params={"seconds": 0.7}))
        kept = await client.get("/fast")
        assert "connection" not in kept.headers
        process.stop()
        await until_not_ready(client)
        for path in ("/healthz", "/fast"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers.get_list("connection")) == (200, ["close"])
        refused = await client.get("/readyz")
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "NOT_READY")
        begun_before = await slow
        assert begun_before.headers.get_list("connection") == ["close"]
        assert 1 <= await process.ended() < 1 + AT_ONCE


async def test_requests_in_flight_are_finished_and_idle_connections_do_not_keep_it() -> None:
    async with draining() as process, process.client() as client:
        idle = await idle_connection(process)
        slow = asyncio.create_task(client.get("/slow", params={"seconds": 1}))
        await client.get("/fast")
        process.stop()
        answer = await slow
        assert (answer.text, answer.headers["connection"]) == ("done", "close")
        assert await process.ended() < 1 + AT_ONCE
        assert await idle.read() == b""


HALF_SENT = {
    "within the head": b"GET /fast HTTP/1.1\r\nhost:",
    "nothing": b"",
}


@pytest.mark.parametrize("data", HALF_SENT.values(), ids=HALF_SENT)
async def test_a_half_sent_request_does_not_keep_it(data: bytes) -> None:
    async with draining() as process:
        reader = await process.send(data)
        await asyncio.sleep(0)
        process.stop()
        assert await process.ended() < AT_ONCE
        assert await reader.read() == b""


async def test_what_takes_longer_than_the_grace_is_told_to_come_again() -> None:
    async with draining(grace=1) as process, process.client() as client:
        upload = await process.send(b"POST /upload HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n123")
        slow = asyncio.create_task(client.get("/slow", params={"seconds": 60}))
        large = await process.send(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n")
        await large.readuntil(b"\r\n\r\n")
        process.stop()
        answer = await slow
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "STOPPING")
        assert int(answer.headers["retry-after"]) >= 1
        head, _, body = (await upload.read()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 ")
        assert json.loads(body)["status_code"] == 503
        assert await process.ended() < 1 + 2


async def test_a_second_signal_skips_the_drain() -> None:
    async with draining(drain=60) as process, process.client() as client:
        process.stop()
        await until_not_ready(client)
        process.stop()
        assert await process.ended() < AT_ONCE + 1


async def test_a_signal_during_the_start_ends_it() -> None:
    async with draining(drain=60, start=60, wait=False) as process:
        assert process.process.stdout
        await asyncio.to_thread(process.process.stdout.readline)
        process.stop()
        assert await process.ended() < AT_ONCE


async def test_it_ends_even_if_its_event_loop_hangs() -> None:
    async with draining(grace=1) as process:
        slow = await process.send(b"GET /slow?seconds=0.5 HTTP/1.1\r\nhost: x\r\n\r\n")
        await process.send(b"GET /stuck?after=0.5&seconds=60 HTTP/1.1\r\nhost: x\r\n\r\n")
        process.stop()
        await slow.read()
        assert await process.ended() < 1 + 2


async def hammer(process: Draining, results: list[str]) -> None:
    """Ask on ever new connections until nobody listens any more."""
    while process.process.poll() is None:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", process.port)
        except (ConnectionRefusedError, ConnectionResetError):  # closed before or while it was accepted
            return
        try:
            writer.write(IDLE.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
            answer = await reader.read()
            results.append("ok" if answer.endswith(b"done") else f"answer: {answer!r}")
        except OSError as error:
            results.append(repr(error))
        finally:
            writer.close()


@pytest.mark.parametrize("drain", [0, 0.5])
async def test_new_connections_are_answered_until_they_are_refused(drain: float) -> None:
    async with draining(drain=drain) as process:
        results: list[str] = []
        clients = [asyncio.create_task(hammer(process, results)) for _ in range(24)]
        async with asyncio.timeout(5):
            while len(results) < 200:
                await asyncio.sleep(0.01)
        process.stop()
        await asyncio.gather(*clients)
        assert await process.ended() < drain + AT_ONCE
    assert [each for each in results if each != "ok"] == []


async def until_refused(process: Draining) -> None:
    async with asyncio.timeout(2):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", process.port)
            except ConnectionRefusedError:
                return
            writer.close()
            await asyncio.sleep(0.005)


async def test_a_request_that_was_on_its_way_when_the_port_closed_is_answered() -> None:
    async with draining() as process:
        reader = await process.send(b"")
        kept = await idle_connection(process)
        process.stop()
        await until_refused(process)
        for writer in process.writers:
            writer.write(IDLE)
        for each in (reader, kept):
            assert (await each.read()).endswith(b"done")
        assert await process.ended() < AT_ONCE


async def test_an_interrupt_ends_it_without_a_drain() -> None:
    async with draining(drain=60) as process:
        process.stop(signal.SIGINT)
        assert await process.ended() < AT_ONCE
