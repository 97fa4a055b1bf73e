"""`python -m gateway` serves."""

import resource

from gateway.config import GatewayConfig
from gateway.factory import create_app
from shared.server import load_or_exit, serve

ENOUGH_FILES = 65_536


def allow_many_connections() -> None:
    """Raise the limit of open files: each request takes a socket of its client and one of its service."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = ENOUGH_FILES if most == resource.RLIM_INFINITY else min(most, ENOUGH_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))


if __name__ == "__main__":
    config = load_or_exit(GatewayConfig)
    allow_many_connections()
    serve(create_app(config), config)
