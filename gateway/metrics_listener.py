"""The private port on which the gateway tells its metrics; the public one never does."""

from threading import Thread
from wsgiref.simple_server import WSGIServer

from prometheus_client import start_http_server

from shared.telemetry.metrics import Metrics


class MetricsListener:
    """Serves /metrics from a thread of prometheus_client's own."""

    def __init__(self, metrics: Metrics, host: str, port: int) -> None:
        self._metrics = metrics
        self._host = host
        self._port = port
        self._running: tuple[WSGIServer, Thread] | None = None

    async def start(self) -> None:
        """Listen; raises OSError when the port is taken."""
        self._running = start_http_server(self._port, self._host, self._metrics.registry)

    async def stop(self) -> None:
        """Stop listening."""
        if self._running:
            server, thread = self._running
            server.shutdown()
            server.server_close()
            thread.join()
