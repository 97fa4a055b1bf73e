"""Watching over exchanges whose services take their time."""

import asyncio

import msgspec
from litestar.types import Receive

from gateway.connection import Connection
from gateway.constants import GRACE_SECONDS, PATIENCE_SECONDS
from gateway.errors import ClientGone
from gateway.routes import Route
from shared.errors import GatewayTimeout


class Exchange(msgspec.Struct, eq=False):
    """A request that was sent: when, on which connection, and how to learn that its client has left.

    The service has `seconds` for its answer. `answered` stops the clock, not the watch over the client.
    """

    connection: Connection
    receive: Receive
    route: Route
    seconds: float
    began: float
    answered: bool = False
    client: asyncio.Task[None] | None = None

    def watch_client(self) -> None:
        """Abort the exchange when its client leaves."""
        if self.client is None:
            self.client = asyncio.get_running_loop().create_task(self._client_leaving())

    async def _client_leaving(self) -> None:
        # The request's body has been read, so nothing else is left to receive.
        while (await self.receive())["type"] != "http.disconnect":
            pass
        self.connection.abort(ClientGone())


class Watch:
    """Aborts exchanges whose client leaves, or whose service lets its seconds pass.

    One timer looks at all of them every `PATIENCE_SECONDS`: most are over before it first sees them.
    """

    def __init__(self) -> None:
        self._exchanges: set[Exchange] = set()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, connection: Connection, receive: Receive, route: Route, seconds: float) -> Exchange:
        """Watch an exchange whose request was sent whole."""
        loop = asyncio.get_running_loop()
        if self._timer is None:
            self._timer = loop.call_later(PATIENCE_SECONDS, self._look, loop)
        exchange = Exchange(connection, receive, route, seconds, loop.time())
        self._exchanges.add(exchange)
        return exchange

    def end(self, exchange: Exchange) -> None:
        """Watch it no more."""
        self._exchanges.discard(exchange)
        if exchange.client:
            exchange.client.cancel()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for exchange in self._exchanges:
            age = now - exchange.began
            if age > exchange.seconds + GRACE_SECONDS and not exchange.answered:
                exchange.connection.abort(GatewayTimeout(service=exchange.route.service))
            elif age > PATIENCE_SECONDS:
                exchange.watch_client()
        self._timer = loop.call_later(PATIENCE_SECONDS, self._look, loop) if self._exchanges else None
