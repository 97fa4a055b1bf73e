"""A service as the gateway sees it: a pool of connections that are used in turn."""

import asyncio
import ssl
from collections import deque
from urllib.parse import urlsplit

from gateway.connection import Connection
from gateway.constants import CONNECT_PAUSE_SECONDS, CONNECT_SECONDS, IDLE_SECONDS, MOST_CONNECTIONS
from shared.errors import ServiceUnavailable


class Upstream:
    """One service.

    A connection that has ended, was cancelled or failed is never used again. Only connecting is repeated,
    once: until it succeeds nothing was sent.
    """

    def __init__(self, name: str, url: str) -> None:
        parts = urlsplit(url)
        self.name = name
        self.url = url
        self.authority = parts.netloc.encode()
        self.connections: set[Connection] = set()
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._idle: deque[Connection] = deque()
        self._connecting = 0
        self._sweep: asyncio.TimerHandle | None = None

    def idle(self) -> Connection | None:
        """Return an open connection on which nothing is under way, if there is one."""
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable:
                return connection
        return None

    async def connect(self) -> Connection:
        """Return a new connection.

        Raises:
            ServiceUnavailable: when the service cannot be reached, or has all the connections it may have.
        """
        if len(self.connections) + self._connecting >= MOST_CONNECTIONS:
            raise ServiceUnavailable(service=self.name)
        self._connecting += 1
        try:
            return await self._connect()
        except OSError as error:  # TimeoutError is one, too
            raise ServiceUnavailable(service=self.name) from error
        finally:
            self._connecting -= 1

    def release(self, connection: Connection) -> None:
        """Take back a connection: to be used again if its exchange ended well, else closed."""
        if not connection.reusable:
            connection.close()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle.append(connection)
        if self._sweep is None:
            self._sweep = loop.call_later(IDLE_SECONDS, self._close_unused, loop)

    def close(self) -> None:
        """Close every connection."""
        if self._sweep:
            self._sweep.cancel()
        for connection in list(self.connections):
            connection.close()

    async def _connect(self) -> Connection:
        try:
            return await self._connect_once()
        except ConnectionRefusedError:
            await asyncio.sleep(CONNECT_PAUSE_SECONDS)
            return await self._connect_once()

    async def _connect_once(self) -> Connection:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_SECONDS):
            _, connection = await loop.create_connection(
                lambda: Connection(self.connections), self._host, self._port, ssl=self._tls
            )
        return connection

    def _close_unused(self, loop: asyncio.AbstractEventLoop) -> None:
        self._sweep = None
        while self._idle and loop.time() - self._idle[0].idle_since >= IDLE_SECONDS:
            self._idle.popleft().close()
        if self._idle:
            age = loop.time() - self._idle[0].idle_since
            self._sweep = loop.call_later(IDLE_SECONDS - age, self._close_unused, loop)
