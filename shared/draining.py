"""A server that stops without anybody noticing, and within a time that can be told."""

import asyncio
import gc
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from types import FrameType
from typing import cast

import uvicorn

from shared.app import Application
from shared.protocol import HttpProtocol

GRACE_SECONDS = 20.0
HOOK_SECONDS = 1.0
"""What the application's own stopping gets, even when requests took the whole grace."""

OVERRUN_SECONDS = 1.8
"""After the grace and this much more the process ends, whatever hangs in it."""

COLLECTOR_THRESHOLDS = (10_000, 20, 20)
"""A request makes a hundred objects and hardly a cycle; the usual 700 means a search every seven requests."""

_TICK_SECONDS = 0.02
_CLOSE = (b"connection", b"close")

logger = logging.getLogger("gerai.server")


class DrainingServer(uvicorn.Server):
    """Stops in steps that begin with the first SIGTERM.

    Readiness is withdrawn and every answer ends its connection, while the port stays open for the drain time
    (a second signal skips it); then requests in flight get the grace to finish; then the application stops.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        application: Application,
        *,
        drain_seconds: float,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        super().__init__(config)
        self._application = application
        self._drain_seconds = drain_seconds
        self._grace_seconds = grace_seconds
        self._starting: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen; what was made by then stays, so the collector need not look at it again.

        A signal that arrives meanwhile ends the start.
        """
        self._starting = cast("asyncio.Task[None]", asyncio.current_task())
        try:
            await super().startup(sockets)
        except asyncio.CancelledError:
            if not self.should_exit:
                raise
            self._starting.uncancel()
        finally:
            self._starting = None
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECTOR_THRESHOLDS)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain on the first SIGTERM; stop listening on a second one, on SIGINT, or while starting."""
        loop = asyncio.get_running_loop()
        again, self._application.readiness.draining = self._application.readiness.draining, True
        if not again:
            loop.call_soon_threadsafe(self._end_connections_with_answers)
        if self._starting:
            super().handle_exit(sig, frame)
            loop.call_soon_threadsafe(self._cancel_start)
        elif again or sig == signal.SIGINT or not self._drain_seconds:
            super().handle_exit(sig, frame)
        else:
            loop.call_soon_threadsafe(loop.call_later, self._drain_seconds, super().handle_exit, sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, let requests in flight finish, stop the application."""
        del sockets
        loop = asyncio.get_running_loop()
        ends = loop.time() + self._grace_seconds
        _end_process_after(self._grace_seconds + OVERRUN_SECONDS)
        for waiting in self._stop_listening():
            await loop.connect_accepted_socket(self._protocol, waiting)
        for connection in self._connections():
            connection.shutdown()
        while self._busy() and loop.time() < ends and not self.force_exit:  # noqa: ASYNC110 - uvicorn's own sets
            await asyncio.sleep(_TICK_SECONDS)
        await self._give_up()
        if not self.force_exit:
            await self._stop_application(max(ends - loop.time(), HOOK_SECONDS))

    def _cancel_start(self) -> None:
        if self._starting:
            self._starting.cancel()

    def _stop_listening(self) -> list[socket.socket]:
        """Close the ports and return the connections that were made but not accepted yet.

        The system would reset them: their clients may have sent a request already.
        """
        listening = [port for server in self.servers for port in server.sockets]
        ports = [socket.socket(fileno=os.dup(port.fileno())) for port in listening]
        for server in self.servers:
            server.close()
        return [waiting for port in ports for waiting in _all_waiting(port)]

    def _protocol(self) -> HttpProtocol:
        return HttpProtocol(self.config, self.server_state, self.lifespan.state)

    def _connections(self) -> list[HttpProtocol]:
        return cast("list[HttpProtocol]", list(self.server_state.connections))

    def _busy(self) -> bool:
        return bool(self.server_state.connections or self.server_state.tasks)

    def _end_connections_with_answers(self) -> None:
        # The list of the configuration is copied every second, this one is used until then.
        self.config.encoded_headers.append(_CLOSE)
        self.server_state.default_headers = [*self.server_state.default_headers, _CLOSE]
        for connection in self._connections():
            connection.end_with_answer()

    async def _give_up(self) -> None:
        """End what the grace was too short for."""
        tasks = list(self.server_state.tasks)
        for connection in self._connections():
            connection.give_up()
        for task in tasks:
            task.cancel()
        if tasks:
            logger.error("%d requests were cancelled: the grace was over", len(tasks))
            await asyncio.wait(tasks, timeout=HOOK_SECONDS / 2)
        for connection in self._connections():
            connection.transport.abort()

    async def _stop_application(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self.lifespan.shutdown()
        except TimeoutError:
            logger.error("The application did not stop within %.1f s", seconds)  # noqa: TRY400 - no traceback of ours


def _all_waiting(port: socket.socket) -> Iterator[socket.socket]:
    """Yield the connections in the queue of a port, and close it when there is none."""
    port.settimeout(0)
    with port, suppress(OSError):
        while True:
            waiting, _ = port.accept()
            waiting.settimeout(0)
            yield waiting


def _end_process_after(seconds: float) -> None:
    """End the process unless it has ended by then, in a thread: the event loop may be what hangs."""
    timer = threading.Timer(seconds, os._exit, (1,))
    timer.daemon = True
    timer.start()
