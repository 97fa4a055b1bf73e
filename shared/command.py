"""The command line of a service."""

import argparse
import logging
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

from shared.app import Application
from shared.config import DatabaseConfig, Fragment, ProcessConfig
from shared.migrations import MigrationFailed, upgrade
from shared.server import load_or_exit, serve

C = TypeVar("C", bound=ProcessConfig)


def main(config_type: type[C], create_app: Callable[[C], Application], revisions: Path) -> None:
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
        _migrate(revisions)


def _migrate(revisions: Path) -> None:
    # The first process of a container is ended by no signal that it does not handle.
    signal.signal(signal.SIGTERM, _end)
    logging.basicConfig(format="%(message)s")
    logging.getLogger("gerai.migrations").setLevel(logging.INFO)
    try:
        upgrade(load_or_exit(MigrationConfig).database, revisions)
    except MigrationFailed as failure:
        sys.exit(str(failure))


class MigrationConfig(Fragment, frozen=True, kw_only=True):
    """What applying migrations needs: the owner's connection."""

    database: DatabaseConfig


def _end(number: int, _frame: object) -> NoReturn:
    """End like a process that the signal itself ended; an open transaction is rolled back on the way."""
    sys.exit(128 + number)
