"""Runs one application in this process until it is told to stop."""

import argparse
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
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
from shared.draining import GRACE_SECONDS, DrainingServer
from shared.migrations import upgrade
from shared.protocol import HttpProtocol

C = TypeVar("C", bound=Fragment)
D = TypeVar("D", bound=ProcessConfig)

KEEP_ALIVE_SECONDS = 75


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


def serve(application: Application, config: ProcessConfig, *, grace_seconds: float = GRACE_SECONDS) -> None:
    """Serve until SIGTERM or SIGINT.

    Readiness is withdrawn first and the port stays open for the drain time, so that load balancers
    look away before connections are refused; then requests in flight get the grace to finish.
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
    )
    server = DrainingServer(
        settings, application, drain_seconds=config.service.drain_seconds, grace_seconds=grace_seconds
    )
    with suppress(KeyboardInterrupt):  # uvicorn raises an interrupt again once it has stopped
        server.run()


class MigrationConfig(Fragment, frozen=True, kw_only=True):
    """What applying migrations needs: the owner's connection."""

    database: DatabaseConfig
