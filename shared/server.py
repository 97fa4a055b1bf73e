"""Runs one application in this process until it is told to stop."""

import sys
from contextlib import suppress
from typing import TypeVar

import uvicorn
from opentelemetry import trace

from shared.app import Application
from shared.config import (
    ConfigurationError,
    Fragment,
    ProcessConfig,
    load,
    process_environment,
)
from shared.draining import GRACE_SECONDS, DrainingServer
from shared.protocol import HttpProtocol

C = TypeVar("C", bound=Fragment)

KEEP_ALIVE_SECONDS = 75


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
    trace.set_tracer_provider(application.tracing)
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
