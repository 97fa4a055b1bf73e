"""A service that tests make up: a raw HTTP/1.1 server that notes every byte it is sent."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


@dataclass
class Received:
    """A request as it arrived."""

    head: bytes
    reader: asyncio.StreamReader

    @property
    def line(self) -> bytes:
        """The request line."""
        return self.head.split(b"\r\n", 1)[0]

    @property
    def target(self) -> bytes:
        """Path and query."""
        return self.line.split(b" ")[1]

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """Every header in order, names in lower case."""
        lines = self.head.removesuffix(b"\r\n\r\n").split(b"\r\n")[1:]
        pairs = (line.split(b":", 1) for line in lines)
        return [(name.lower(), value.strip()) for name, value in pairs]

    def all(self, name: bytes) -> list[bytes]:
        """Return every value of one header."""
        return [value for each, value in self.headers if each == name]

    def one(self, name: bytes) -> bytes:
        """Return the value of a header that is there once."""
        (value,) = self.all(name)
        return value

    async def body(self) -> bytes:
        """Return the body, whole."""
        return b"".join([piece async for piece in self.pieces()])

    async def pieces(self, most: int = 65536) -> AsyncGenerator[bytes]:
        """Yield the body as it arrives."""
        if self.all(b"transfer-encoding"):
            while size := int(await self.reader.readline(), 16):
                yield await self.reader.readexactly(size)
                await self.reader.readexactly(2)
            while await self.reader.readline() != b"\r\n":
                pass
            return
        left = int(next(iter(self.all(b"content-length")), b"0"))
        while left:
            piece = await self.reader.read(min(left, most))
            if not piece:
                raise asyncio.IncompleteReadError(b"", left)
            left -= len(piece)
            yield piece


Behaviour = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class FakeService:
    """The server; `behaviour` answers each request, and a connection it leaves open is used again."""

    url: str = ""
    answer: bytes = OK
    behaviour: Behaviour | None = None
    requests: list[Received] = field(default_factory=list[Received])
    bodies: list[bytes] = field(default_factory=list[bytes])
    opened: int = 0
    left: int = 0
    """Connections that ended while their request was being answered."""
    open: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.opened += 1
        self.open.add(writer)
        try:
            while not writer.is_closing():
                request = Received(await reader.readuntil(b"\r\n\r\n"), reader)
                self.requests.append(request)
                await self._answer(request, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open.discard(writer)
            writer.close()

    async def _answer(self, request: Received, writer: asyncio.StreamWriter) -> None:
        try:
            if self.behaviour:
                await self.behaviour(request, writer)
            else:
                self.bodies.append(await request.body())
                writer.write(self.answer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            self.left += 1
            raise

    async def wait_until_left(self, request: Received) -> None:
        """Wait for the other side to close the connection of `request`."""
        await request.reader.read(1)
        self.left += 1


@asynccontextmanager
async def fake_service(port: int = 0) -> AsyncGenerator[FakeService]:
    """Run a fake service until the block ends."""
    service = FakeService()
    server = await asyncio.start_server(service.serve, "127.0.0.1", port, backlog=1000)
    service.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield service
    finally:
        server.close()
        for writer in list(service.open):
            writer.transport.abort()
