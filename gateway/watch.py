"""Watching over an exchange while its service works on the answer."""

import asyncio

from litestar.types import Receive

from gateway.connection import Connection
from gateway.constants import PATIENCE_SECONDS
from gateway.errors import ClientGone
from gateway.routes import Route
from shared.errors import GatewayTimeout


class Watch:
    """Aborts an exchange whose client leaves, or whose service lets the route's seconds pass.

    It looks only after a moment: most exchanges are over by then and cost a timer, not a task. The
    request's body must have been read, as `receive` then tells of nothing but the client's leaving.
    """

    def __init__(self, connection: Connection, receive: Receive, route: Route) -> None:
        self._connection = connection
        self._receive = receive
        self._route = route
        self._loop = asyncio.get_running_loop()
        self._client: asyncio.Task[None] | None = None
        self._clock = self._loop.call_later(min(PATIENCE_SECONDS, route.seconds), self._look)

    def answered(self) -> None:
        """Stop the clock: the service has begun to answer. The client is watched on."""
        self._clock.cancel()
        self._watch_client()

    def stop(self) -> None:
        """Watch no more."""
        self._clock.cancel()
        if self._client:
            self._client.cancel()

    def _look(self) -> None:
        self._watch_client()
        self._clock = self._loop.call_later(self._route.seconds - PATIENCE_SECONDS, self._late)

    def _late(self) -> None:
        self._connection.abort(GatewayTimeout(service=self._route.service))

    def _watch_client(self) -> None:
        if self._client is None:
            self._client = self._loop.create_task(self._leaving())

    async def _leaving(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._connection.abort(ClientGone())
