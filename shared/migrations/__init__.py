"""Applies a service's Alembic history.

The owner role runs it, never the serving process. One `env.py` serves every service; a service keeps
only its revisions, in its own `migrations/` folder. docs/migrations.md says how to write one.
"""

import asyncio
from pathlib import Path

from shared.config import DatabaseConfig
from shared.migrations.running import PATIENCE, MigrationFailed, Patience, run

__all__ = ["PATIENCE", "MigrationFailed", "Patience", "downgrade", "upgrade"]

# What needs Alembic is imported late: it would take a tenth of the memory of a process that serves.


def upgrade(
    config: DatabaseConfig, revisions: Path, target: str = "head", patience: Patience = PATIENCE
) -> None:
    """Bring the database to one of `revisions`, the newest as a rule; runs at the same time take turns.

    A database that a newer release has migrated is left as it is: releases run on the schema after their own.

    Raises:
        MigrationFailed: it stays at the last revision that could be applied.
    """
    from shared.migrations import history  # noqa: PLC0415

    asyncio.run(run(config, lambda connection: history.upgrade(connection, revisions, target), patience))


def downgrade(
    config: DatabaseConfig, revisions: Path, target: str = "base", patience: Patience = PATIENCE
) -> None:
    """Take the database back to one of `revisions`, with the data that only later ones have; for development.

    Raises:
        MigrationFailed: it stays at the last revision that it could be taken back to.
    """
    from shared.migrations import history  # noqa: PLC0415

    asyncio.run(run(config, lambda connection: history.downgrade(connection, revisions, target), patience))
