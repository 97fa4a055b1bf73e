"""The gateway as a process of its own, in front of services that tests make up.

`python -m tests.support.gateway` serves the gateway with the routes below added to those of the platform.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from gateway.config import GatewayConfig
from gateway.constants import MEBIBYTE
from gateway.factory import create_app
from gateway.routes import Route, platform_routes
from infra.embedded.ports import free_port
from shared.server import load_or_exit, serve
from tests.support.tokens import SECRET, access_token

QUICK_SECONDS = 0.5

TEST_ROUTES = [
    Route("/v1/quick", "store", seconds=QUICK_SECONDS),
    Route("/v1/large", "store", most_body_bytes=100 * MEBIBYTE),
    Route("/v1/large-quick", "store", most_body_bytes=100 * MEBIBYTE, seconds=QUICK_SECONDS),
]

_READY_SECONDS = 20
_STOP_SECONDS = 20
_ROOT = Path(__file__).parents[2]


@dataclass
class RawAnswer:
    """An answer as its bytes arrived."""

    raw: bytes

    @property
    def status(self) -> int:
        """The status code."""
        return int(self.raw.split(b" ", 2)[1])

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """Every header in order."""
        head = self.raw.partition(b"\r\n\r\n")[0]
        return [
            (name, value) for name, _, value in (line.partition(b": ") for line in head.split(b"\r\n")[1:])
        ]

    def all(self, name: bytes) -> list[bytes]:
        """Return every value of one header."""
        return [value for each, value in self.headers if each == name]

    @property
    def body(self) -> bytes:
        """What follows the head."""
        return self.raw.partition(b"\r\n\r\n")[2]

    @property
    def error(self) -> dict[str, Any]:
        """The envelope's error, after checking that it is one."""
        envelope = json.loads(self.body)
        assert envelope["status_code"] == self.status
        assert envelope["message"]
        assert len(envelope["error"]["trace_id"]) == 32
        return envelope["error"]


@dataclass
class RunningGateway:
    """The process, and how to talk to it."""

    port: int
    metrics_port: int
    process: subprocess.Popen[bytes]
    token: str = field(default_factory=access_token)

    @property
    def url(self) -> str:
        """The base URL of the public port."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def bearer(self) -> dict[str, str]:
        """The Authorization header of a caller."""
        return {"Authorization": f"Bearer {self.token}"}

    def client(self, seconds: float = 30) -> httpx.AsyncClient:
        """Return a client that is signed in."""
        return httpx.AsyncClient(base_url=self.url, headers=self.bearer, timeout=seconds)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a bare connection."""
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def send(self, request: bytes, *, signed_in: bool = True) -> RawAnswer:
        """Send a request byte for byte on a connection of its own and return all that comes back.

        A Host, Connection: close and, unless told otherwise, an Authorization header are added.
        """
        first, rest = request.split(b"\r\n", 1)
        added = [b"Host: gerai.test", b"Connection: close"]
        if signed_in:
            added.append(b"Authorization: Bearer " + self.token.encode())
        return await self.send_bare(b"\r\n".join([first, *added, rest]))

    async def send_bare(self, data: bytes) -> RawAnswer:
        """Send bytes and return all that comes back until the connection ends."""
        reader, writer = await self.connect()
        try:
            writer.write(data)
            async with asyncio.timeout(30):
                return RawAnswer(await reader.read())
        finally:
            writer.close()

    def memory(self) -> int:
        """Return the resident memory of the process in bytes."""
        return psutil.Process(self.process.pid).memory_info().rss

    def sockets(self) -> int:
        """Return how many TCP connections the process has."""
        return len(psutil.Process(self.process.pid).net_connections("tcp"))


@asynccontextmanager
async def running_gateway(urls: Mapping[str, str]) -> AsyncGenerator[RunningGateway]:
    """Run the gateway in front of services at `urls`, by name."""
    port, metrics_port = free_port(), free_port()
    environment = {
        **{f"{name.upper()}_URL": url for name, url in urls.items()},
        "PATH": os.environ["PATH"],
        "ENV_FILE": os.devnull,
        "SERVICE_PORT": str(port),
        "SERVICE_ENVIRONMENT": "test",
        "METRICS_PORT": str(metrics_port),
        "LOG_LEVEL": "ERROR",
        "JWT_ALGORITHM": "HS256",
        "JWT_SECRET": SECRET,
    }
    command = [sys.executable, "-m", "tests.support.gateway"]
    process = await asyncio.to_thread(subprocess.Popen, command, cwd=_ROOT, env=environment)
    gateway = RunningGateway(port, metrics_port, process)
    try:
        async with asyncio.timeout(_READY_SECONDS):
            await _ready(gateway)
        yield gateway
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, _STOP_SECONDS)


async def _ready(gateway: RunningGateway) -> None:
    async with httpx.AsyncClient() as client:
        while True:
            assert gateway.process.poll() is None, "the gateway ended while starting"
            try:
                if (await client.get(f"{gateway.url}/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)


if __name__ == "__main__":
    config = load_or_exit(GatewayConfig)
    serve(create_app(config, [*platform_routes(config.service.endpoint_v), *TEST_ROUTES]), config)
