"""Applies a service's Alembic history.

The owner role runs it, never the serving process. One `env.py` serves every service; a service keeps
only its revisions, in its own `migrations/` folder.
"""

import asyncio
from pathlib import Path

from sqlalchemy import Connection, text

from shared.config import DatabaseConfig
from shared.db import Database

_LOCK = 1_195_725_385  # any number, the same for every migration of a database


def upgrade(config: DatabaseConfig, revisions: Path) -> None:
    """Bring the database to the newest of `revisions`, one run at a time."""
    asyncio.run(_upgrade(config, revisions))


async def _upgrade(config: DatabaseConfig, revisions: Path) -> None:
    # An index of a large table takes longer than any statement of a request may.
    database = Database(config, "gerai-migrate", statement_seconds=None)
    try:
        async with database.transaction() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            await connection.run_sync(_run, revisions)
    finally:
        await database.close()


def _run(connection: Connection, revisions: Path) -> None:
    # Here, because a serving process never migrates and Alembic would take a tenth of its memory.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent))
    settings.set_main_option("version_locations", str(revisions))
    settings.set_main_option("path_separator", "newline")
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")
