"""The command line of a service."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

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
    try:
        upgrade(load_or_exit(MigrationConfig).database, revisions)
    except MigrationFailed as failure:
        sys.exit(str(failure))


class MigrationConfig(Fragment, frozen=True, kw_only=True):
    """What applying migrations needs: the owner's connection."""

    database: DatabaseConfig
