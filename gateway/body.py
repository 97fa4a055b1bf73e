"""The body of a request on its way to a service."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import msgspec
from litestar.types import Receive

from gateway.connection import Connection
from gateway.constants import SMALL_BODY_BYTES
from gateway.errors import ClientGone, SlowRequest, UnknownTransferCoding
from gateway.routes import Route
from shared.errors import GatewayTimeout, PayloadTooLarge


class Framing(msgspec.Struct, frozen=True):
    """How long a body is: `length` bytes, or as long as it takes when that is None (RFC 9112, section 6).

    `header` is the line that says so, after the end of the one before.
    """

    length: int | None
    header: bytes = b""

    @property
    def is_small(self) -> bool:
        """Whether the body travels in one piece with the head."""
        return self.length is not None and self.length <= SMALL_BODY_BYTES


NO_BODY = Framing(0)
CHUNKED = Framing(None, b"\r\ntransfer-encoding: chunked")
LAST_CHUNK = b"0\r\n\r\n"


def framing(own: Mapping[bytes, bytes], route: Route) -> Framing:
    """Return how the request's body is framed.

    Raises:
        PayloadTooLarge: when it announces more than the route takes.
        UnknownTransferCoding: when it is encoded otherwise than in chunks.
    """
    coding = own.get(b"transfer-encoding")
    if coding is not None:
        if coding.lower() != b"chunked":
            raise UnknownTransferCoding
        return CHUNKED
    announced = own.get(b"content-length")
    if announced is None:
        return NO_BODY
    length = int(announced)
    if length > route.most_body_bytes:
        raise PayloadTooLarge(limit=route.most_body_bytes)
    return Framing(length, b"\r\ncontent-length: " + announced)


async def read_small(receive: Receive, route: Route) -> bytes:
    """Return a small body whole, raising as `pieces` does."""
    return b"".join([piece async for piece in pieces(receive, route)])


async def stream(connection: Connection, receive: Receive, framed: Framing, route: Route) -> None:
    """Send a body piece by piece, as fast as the service takes it, until it ends or the service answers.

    Raises as `pieces` does, and GatewayTimeout and UpstreamFailure for the service's part.
    """
    chunked = framed.length is None
    async for piece in pieces(receive, route):
        try:
            async with asyncio.timeout(route.seconds):
                wanted = await connection.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        except TimeoutError:
            raise GatewayTimeout(service=route.service) from None
        if not wanted:
            return
    if chunked:
        await connection.write(LAST_CHUNK)
    connection.finish()


async def pieces(receive: Receive, route: Route) -> AsyncIterator[bytes]:
    """Yield a body as it arrives.

    Raises:
        PayloadTooLarge: when it turns out to be longer than the route takes.
        SlowRequest: when the client lets the route's seconds pass without sending more.
        ClientGone: when the client has left.
    """
    total, more = 0, True
    while more:
        piece, more = await _next_piece(receive, route)
        total += len(piece)
        if total > route.most_body_bytes:
            raise PayloadTooLarge(limit=route.most_body_bytes)
        if piece:
            yield piece


async def _next_piece(receive: Receive, route: Route) -> tuple[bytes, bool]:
    try:
        async with asyncio.timeout(route.seconds):
            message = await receive()
    except TimeoutError:
        raise SlowRequest from None
    if message["type"] != "http.request":
        raise ClientGone
    return message["body"], message["more_body"]
