"""Applications as tests reach them: in process, or over real sockets."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
import uvicorn

from infra.embedded.ports import free_port
from shared.app import Application
from shared.config import LogConfig, ServiceConfig, TracingConfig

SERVICE = ServiceConfig(port=1, environment="test")
LOG = LogConfig(level="ERROR")
TRACING = TracingConfig()

READY_SECONDS = 10


@asynccontextmanager
async def calling(application: Application) -> AsyncGenerator[httpx.AsyncClient]:
    """Start `application` in this process and yield a client that calls it without sockets."""
    transport = httpx.ASGITransport(app=cast("Any", application))
    async with (
        _started(application),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        yield client


@asynccontextmanager
async def _started(application: Application) -> AsyncGenerator[None]:
    """Keep the application's lifespan in one task of its own: a fixture begins and ends in different ones."""
    started, stopping = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with application.litestar.lifespan():
            started.set()
            await stopping.wait()

    living, waiting = asyncio.create_task(live()), asyncio.create_task(started.wait())
    await asyncio.wait([living, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if living.done():
        living.result()
    try:
        yield
    finally:
        stopping.set()
        await living


@asynccontextmanager
async def serving(application: object) -> AsyncGenerator[str]:
    """Serve any ASGI application on a free port and yield its base URL."""
    port = free_port()
    config = uvicorn.Config(application, port=port, log_config=None, lifespan="auto")  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(READY_SECONDS):
            while not server.started:
                if task.done():
                    task.result()
                await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task
