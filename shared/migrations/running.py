"""Runs a migration alone and with patience: whoever serves goes first."""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.config import DatabaseConfig
from shared.engine import create_engine

logger = logging.getLogger("gerai.migrations")

_LOCK = 1_195_725_385  # any number, the same for every migration of a database
_POLL_SECONDS = 0.2
_GAVE_WAY = {"55P03", "40P01"}  # lock_not_available, deadlock_detected


class MigrationFailed(Exception):
    """Why the schema is not as it was to be, as a sentence."""


@dataclass(frozen=True)
class Patience:
    """How often a migration tries to get its locks, and how long it waits for another run to end."""

    attempts: int = 20
    pause_seconds: float = 1.0
    other_run_seconds: float = 300.0


PATIENCE = Patience()


async def run(config: DatabaseConfig, migration: Callable[[Connection], None], patience: Patience) -> None:
    """Call `migration` with a connection of the owner's, while no other run of this database does.

    It is called again when it could not get a lock soon enough, and must go on where it stopped.

    Raises:
        MigrationFailed: it failed, or never got its locks, or another run does not end.
    """
    engine = create_engine(config, "gerai-migrate", statement_seconds=None)
    try:
        async with engine.connect() as connection:
            await _wait_for_turn(connection, patience)
            await _attempt(connection, migration, patience)
    except DBAPIError as error:
        raise MigrationFailed(f"The migration failed: {_told(error)}.") from error
    except OSError as error:
        raise MigrationFailed(f"The database cannot be reached: {error}.") from error
    finally:
        await engine.dispose()


async def _wait_for_turn(connection: AsyncConnection, patience: Patience) -> None:
    """Take the lock that the session has until it ends.

    It is asked for again and again: who waits inside PostgreSQL has a snapshot, and an index that the other
    run builds concurrently would wait for that.
    """
    limit = time.monotonic() + patience.other_run_seconds
    ask = text("SELECT pg_try_advisory_lock(:lock)").bindparams(lock=_LOCK)
    while not (await connection.execute(ask)).scalar_one():
        await connection.commit()
        if time.monotonic() > limit:
            raise MigrationFailed(
                f"Another migration of this database has not ended within {patience.other_run_seconds:.0f} s."
            )
        await asyncio.sleep(_POLL_SECONDS)
    await connection.commit()


async def _attempt(
    connection: AsyncConnection, migration: Callable[[Connection], None], patience: Patience
) -> None:
    told = ""
    for attempt in range(1, patience.attempts + 1):
        try:
            return await connection.run_sync(migration)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _GAVE_WAY:
                raise
            told = _told(error)
        logger.warning("Attempt %d of %d gave way: %s.", attempt, patience.attempts, told)
        await connection.rollback()
        await asyncio.sleep(patience.pause_seconds * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
    raise MigrationFailed(
        f"The migration gave way {patience.attempts} times, the last time with: {told}. Others lock what it"
        " needs for too long; run it again when they have ended. Until then all is as before."
    )


def _told(error: DBAPIError) -> str:
    """Return what PostgreSQL says, and the first line of what it says that of."""
    line = (error.statement or "").strip().partition("\n")[0]
    said = error.orig.__cause__ if error.orig else None
    return f"{said or error.orig} ({line})"
