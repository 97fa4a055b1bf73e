"""A TCP proxy between two processes that a test can make slow, silent or broken."""

import asyncio
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

_PIECE = 65_536
_NO_LINGER = struct.pack("ii", 1, 0)


class Proxy:
    """Forwards connections to a port; what it does to them can be changed at any time."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self._target = target
        self._delay = 0.0
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._answering = asyncio.Event()
        self._answering.set()
        self._refusing = self._resetting = False
        self._writers: set[asyncio.StreamWriter] = set()

    def point_at(self, target: int) -> None:
        """Forward new connections to another port; those there are go on."""
        self._target = target

    def slow(self, seconds: float) -> None:
        """Hold each piece up, in both directions."""
        self._delay = seconds

    def stall(self) -> None:
        """Forward nothing any more, and break nothing off."""
        self._flowing.clear()

    def stall_answers(self) -> None:
        """Forward what is asked, and not what is answered, and break nothing off."""
        self._answering.clear()

    def cut(self) -> None:
        """Reset every connection, and every new one."""
        self._refusing = True
        for writer in list(self._writers):
            _reset(writer)

    def reset_answers(self) -> None:
        """Forward what is asked, and reset the connection when it is answered."""
        self._resetting = True

    def heal(self) -> None:
        """Forward as at first."""
        self._delay, self._refusing, self._resetting = 0.0, False, False
        self._flowing.set()
        self._answering.set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection until either side ends it."""
        if self._refusing:
            _reset(writer)
            return
        try:
            there, here = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            _reset(writer)
            return
        self._writers |= {writer, here}
        try:
            await asyncio.gather(self._pump(reader, here), self._pump(there, writer, answers=True))
        finally:
            self._writers -= {writer, here}
            here.transport.abort()
            writer.transport.abort()

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, answers: bool = False
    ) -> None:
        with suppress(OSError):
            while piece := await source.read(_PIECE):
                if answers and self._resetting:
                    _reset(sink)
                    return
                if self._delay:
                    await asyncio.sleep(self._delay)
                await self._flowing.wait()
                if answers:
                    await self._answering.wait()
                sink.write(piece)
                await sink.drain()
        sink.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection so that its other side sees a reset, and not an end."""
    with suppress(OSError):  # it has ended already
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    writer.transport.abort()


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
