"""A TCP proxy between two processes that a test can make slow, silent or broken."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

_PIECE = 65_536


class Proxy:
    """Forwards connections to a port; what it does to them can be changed at any time."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self._target = target
        self._delay = 0.0
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._refusing = False
        self._writers: set[asyncio.StreamWriter] = set()

    def slow(self, seconds: float) -> None:
        """Hold each piece up, in both directions."""
        self._delay = seconds

    def stall(self) -> None:
        """Forward nothing any more, and break nothing off."""
        self._flowing.clear()

    def cut(self) -> None:
        """Reset every connection, and every new one."""
        self._refusing = True
        for writer in list(self._writers):
            writer.transport.abort()

    def heal(self) -> None:
        """Forward as at first."""
        self._delay, self._refusing = 0.0, False
        self._flowing.set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection until either side ends it."""
        if self._refusing:
            writer.transport.abort()
            return
        try:
            there, here = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, here}
        try:
            await asyncio.gather(self._pump(reader, here), self._pump(there, writer))
        finally:
            self._writers -= {writer, here}
            here.transport.abort()
            writer.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await source.read(_PIECE):
                if self._delay:
                    await asyncio.sleep(self._delay)
                await self._flowing.wait()
                sink.write(piece)
                await sink.drain()
        sink.close()


@asynccontextmanager
async def proxying(target: int) -> AsyncGenerator[Proxy]:
    """Run a proxy to a port of this machine until the block ends."""
    proxy = Proxy(target)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        proxy.heal()
        proxy.cut()
        server.close()
