"""What the client is to see of an answer, as a connection reads it."""

import asyncio

import pytest

from gateway.connection import Connection, UpstreamFailure
from gateway.headers import HOP_BY_HOP


class SilentTransport(asyncio.Transport):
    """Takes everything and sends nothing."""

    def write(self, data: "bytes | bytearray | memoryview[int]") -> None:
        """Forget `data`."""

    def abort(self) -> None:
        """Do nothing."""


async def answered(*header_lines: str, status: str = "200 OK", body: bytes = b"") -> Connection:
    """Return a connection that has received an answer."""
    connection = Connection(set())
    connection.connection_made(SilentTransport())
    connection.begin(b"GET / HTTP/1.1\r\n\r\n", bodiless=False, fully_sent=True)
    head = "\r\n".join([f"HTTP/1.1 {status}", *header_lines, "", ""])
    connection.data_received(head.encode() + body)
    return connection


async def test_headers_pass_in_order_with_their_duplicates_and_lengths() -> None:
    connection = await answered("Vary: a", "Set-Cookie: 1", "Content-Length: 2", "Set-Cookie: 2", body=b"ok")
    await connection.answer()
    expected = [(b"vary", b"a"), (b"set-cookie", b"1"), (b"content-length", b"2"), (b"set-cookie", b"2")]
    assert (connection.status, connection.headers, connection.take()) == (200, expected, b"ok")
    assert connection.reusable


@pytest.mark.parametrize("name", sorted(HOP_BY_HOP - {b"transfer-encoding"}))
async def test_hop_by_hop_headers_do_not_pass(name: bytes) -> None:
    connection = await answered(f"{name.decode()}: x", "Vary: a", "Content-Length: 0")
    assert connection.headers == [(b"vary", b"a"), (b"content-length", b"0")]


async def test_what_connection_names_does_not_pass() -> None:
    lines = ("X-One: 1", "X-Two: 2", "X-Three: 3", "Connection: close, X-One", "Connection: keep-alive,x-two")
    connection = await answered(*lines, "Content-Length: 0")
    assert connection.headers == [(b"x-three", b"3"), (b"content-length", b"0")]


async def test_what_the_gateway_says_itself_is_not_taken_from_the_answer() -> None:
    lines = ("Server: x", "Date: x", "X-Request-ID: x", "X-Content-Type-Options: x")
    connection = await answered(*lines, "Content-Length: 0")
    assert connection.headers == [(b"content-length", b"0")]


async def test_an_answer_without_a_body_does_not_announce_one() -> None:
    connection = await answered('ETag: "1"', "Content-Length: 42", status="304 Not Modified")
    assert connection.headers == [(b"etag", b'"1"')]
    assert connection.complete


async def test_headers_of_an_interim_answer_are_for_this_hop_alone() -> None:
    final = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    connection = await answered("Link: x", status="103 Early Hints", body=final)
    assert (connection.status, connection.headers) == (200, [(b"content-length", b"0")])


async def test_a_short_answer_is_waited_for_whole() -> None:
    connection = await answered("Content-Length: 4", body=b"ha")
    waiting = asyncio.ensure_future(connection.answer())
    await asyncio.sleep(0)
    assert not waiting.done()
    connection.data_received(b"lf")
    await waiting
    assert connection.take() == b"half"


@pytest.mark.parametrize(
    ("line", "whole"),
    [("Content-Length: 4", False), ("Transfer-Encoding: chunked", False), ("Vary: a", True)],
)
async def test_a_body_without_a_length_ends_with_its_connection(line: str, *, whole: bool) -> None:
    connection = await answered(line)
    connection.connection_lost(None)
    assert connection.complete is whole
    if not whole:
        with pytest.raises(UpstreamFailure, match="closed the connection"):
            await connection.read()
