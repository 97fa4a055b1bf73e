"""Runs one application in this process until it is told to stop."""

import argparse
import asyncio
import gc
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TypeVar

import uvicorn

from shared.app import Application
from shared.config import (
    ConfigurationError,
    DatabaseConfig,
    Fragment,
    ProcessConfig,
    load,
    process_environment,
)
from shared.migrations import upgrade
from shared.protocol import HttpProtocol

C = TypeVar("C", bound=Fragment)
D = TypeVar("D", bound=ProcessConfig)

KEEP_ALIVE_SECONDS = 75
GRACE_SECONDS = 20

COLLECTOR_THRESHOLDS = (10_000, 20, 20)
"""A request makes a hundred objects and hardly a cycle; the usual 700 means a search every seven requests."""


def main(config_type: type[D], create_app: Callable[[D], Application], revisions: Path) -> None:
    """Do what the command line of a service asks: serve, or apply its migrations."""
    name = revisions.parent.name
    parser = argparse.ArgumentParser(
        prog=f"python -m services.{name}", description=f"The {name} service of Gerai."
    )
    parser.add_argument("command", nargs="?", choices=["serve", "migrate"], default="serve")
    if parser.parse_args().command == "serve":
        config = load_or_exit(config_type)
        serve(create_app(config), config)
    else:
        upgrade(load_or_exit(MigrationConfig).database, revisions)


def load_or_exit(config_type: type[C]) -> C:
    """Return the configuration, or end the process saying what is wrong with it."""
    try:
        return load(config_type, process_environment())
    except ConfigurationError as error:
        sys.exit(str(error))


def serve(application: Application, config: ProcessConfig) -> None:
    """Serve until SIGTERM or SIGINT.

    Readiness is withdrawn first and the port stays open for the drain time, so that load balancers
    look away before connections are refused; then requests in flight get up to 20 s to finish.
    """
    settings = uvicorn.Config(
        application,  # type: ignore[arg-type] - Litestar's ASGI types are stricter than uvicorn's
        host=config.service.host,
        port=config.service.port,
        loop="uvloop",
        http=HttpProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    with suppress(KeyboardInterrupt):  # uvicorn raises an interrupt again once it has stopped
        DrainingServer(settings, application, config.service.drain_seconds).run()


class MigrationConfig(Fragment, frozen=True, kw_only=True):
    """What applying migrations needs: the owner's connection."""

    database: DatabaseConfig


class DrainingServer(uvicorn.Server):
    """A server that withdraws readiness before it stops listening."""

    def __init__(self, config: uvicorn.Config, application: Application, drain_seconds: float) -> None:
        super().__init__(config)
        self._application = application
        self._drain_seconds = drain_seconds

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen; what was made by then stays, so the collector need not look at it again."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECTOR_THRESHOLDS)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain on the first signal; stop at once on a second one."""
        if self._application.readiness.draining or sig == signal.SIGINT or not self._drain_seconds:
            super().handle_exit(sig, frame)
            return
        self._application.readiness.draining = True
        asyncio.get_running_loop().call_later(self._drain_seconds, super().handle_exit, sig, frame)
