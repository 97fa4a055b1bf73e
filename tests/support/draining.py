"""A process of shared.server's own, to be stopped by tests.

`python -m tests.support.draining DRAIN GRACE START` serves on SERVICE_PORT; its start takes START seconds.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from litestar import Request, get, post
from litestar.response import Stream

from infra.embedded.ports import free_port
from shared.app import assemble
from shared.config import ProcessConfig, ServiceConfig
from shared.security.guards import PUBLIC
from shared.security.keys import SharedSecret
from shared.security.tokens import TokenVerifier
from shared.server import serve
from shared.telemetry.metrics import Metrics
from tests.support.serving import LOG, TRACING
from tests.support.tokens import CONFIG, SECRET

_LARGE = 64 * 1024 * 1024
_READY_SECONDS = 20
_ROOT = Path(__file__).parents[2]


@dataclass
class Draining:
    """The process, and how to talk to it."""

    port: int
    process: subprocess.Popen[bytes]
    stopped_at: float = 0.0
    writers: list[asyncio.StreamWriter] = field(default_factory=list[asyncio.StreamWriter])

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> httpx.AsyncClient:
        """Return a client that keeps its connections."""
        return httpx.AsyncClient(base_url=self.url, timeout=30)

    async def send(self, data: bytes) -> asyncio.StreamReader:
        """Open a connection, send bytes on it, and return what reads the answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)  # collected, it would close the connection
        writer.write(data)
        await writer.drain()
        return reader

    def stop(self, sig: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal and note when."""
        self.stopped_at = self.stopped_at or time.monotonic()
        self.process.send_signal(sig)

    async def ended(self) -> float:
        """Wait for the end of the process and return the seconds since its first signal."""
        await asyncio.to_thread(self.process.wait, 30)
        return time.monotonic() - self.stopped_at

    async def ready(self) -> None:
        """Wait until it serves."""
        async with asyncio.timeout(_READY_SECONDS), httpx.AsyncClient(base_url=self.url) as client:
            while True:
                assert self.process.poll() is None, "the process ended while starting"
                try:
                    if (await client.get("/readyz")).status_code == 200:
                        return
                except httpx.TransportError:
                    await asyncio.sleep(0.02)


@asynccontextmanager
async def draining(
    *, drain: float = 0, grace: float = 5, start: float = 0, wait: bool = True
) -> AsyncGenerator[Draining]:
    """Run the process until the block ends, where it must have ended or is killed."""
    port = free_port()
    command = [sys.executable, "-m", "tests.support.draining", str(drain), str(grace), str(start)]
    environment = {"PATH": os.environ["PATH"], "SERVICE_PORT": str(port)}
    process = await asyncio.to_thread(
        subprocess.Popen, command, cwd=_ROOT, env=environment, stdout=subprocess.PIPE
    )
    running = Draining(port, process)
    try:
        if wait:
            await running.ready()
        yield running
    finally:
        for writer in running.writers:
            writer.close()
        if process.poll() is None:
            process.kill()
        process.communicate()


@get("/fast", opt={PUBLIC: True})
async def _fast() -> str:
    return "done"


@get("/slow", opt={PUBLIC: True})
async def _slow(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "done"


@get("/stuck", opt={PUBLIC: True})
async def _stuck(after: float, seconds: float) -> str:
    await asyncio.sleep(after)
    time.sleep(seconds)  # noqa: ASYNC251 - the point of it
    return "done"


@get("/large", opt={PUBLIC: True})
async def _large() -> Stream:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(_LARGE // 65536):
            yield b"x" * 65536

    return Stream(pieces())


@post("/upload", opt={PUBLIC: True})
async def _upload(request: Request[Any, Any, Any]) -> int:
    return len(await request.body())


def _main() -> None:
    drain, grace, start = map(float, sys.argv[1:])
    config = ProcessConfig(
        service=ServiceConfig(port=int(os.environ["SERVICE_PORT"]), environment="test", drain_seconds=drain),
        log=LOG,
        tracing=TRACING,
    )

    async def begin() -> None:
        print("starting", flush=True)  # noqa: T201 - tests wait for this line
        await asyncio.sleep(start)

    application = assemble(
        "draining",
        config,
        handlers=[_fast, _slow, _stuck, _large, _upload],
        verifier=TokenVerifier(CONFIG, SharedSecret(SECRET.encode())),
        metrics=Metrics(),
        on_start=[begin],
    )
    serve(application, config, grace_seconds=grace)


if __name__ == "__main__":
    _main()
