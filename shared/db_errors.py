"""What the database's failures mean: to a caller, and for asking the primary instead of its replica."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.errors import GeraiError, InvalidInput, ServiceUnavailable

_INVALID_DATA = "22"
_UNAVAILABLE = ("08", "53", "57")
CONNECTION_FAILURES = (PoolTimeout, OSError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""Of connections; the last is what asyncpg says of one whose end has arrived and is not read yet."""

_CONFLICT = "40"
_TOOK_TOO_LONG = "57014"


@contextmanager
def constraint_errors(errors: Mapping[str, type[GeraiError]]) -> Generator[None]:
    """Raise the error that belongs to the database constraint a statement broke."""
    try:
        yield
    except IntegrityError as broken:
        constraint = str(getattr(getattr(broken.orig, "__cause__", None), "constraint_name", ""))
        if constraint in errors:
            raise errors[constraint] from broken
        raise


def database_error(error: Exception) -> GeraiError | None:
    """Return what a caller is told of a database failure, or None when it is a fault of ours."""
    if isinstance(error, CONNECTION_FAILURES):
        return ServiceUnavailable(service="database")
    state = _sqlstate(error)
    if state.startswith(_INVALID_DATA):
        return InvalidInput()
    if state.startswith(_UNAVAILABLE) or (isinstance(error, DBAPIError) and error.connection_invalidated):
        return ServiceUnavailable(service="database")
    return None


def _sqlstate(error: Exception) -> str:
    origin = error.orig if isinstance(error, DBAPIError) else error
    return str(getattr(origin, "sqlstate", None) or "")


def may_ask_again(error: Exception) -> bool:
    """Tell whether the primary is asked what the replica did not answer.

    A query that took too long (57014) would take as long there. Of class 40, a replica has only what it
    ends in favour of its replay (PostgreSQL manual, "Handling Query Conflicts").
    """
    state = _sqlstate(error)
    if state == _TOOK_TOO_LONG:
        return False
    return state.startswith(_CONFLICT) or isinstance(database_error(error), ServiceUnavailable)


def is_lost(error: Exception) -> bool:
    """Tell whether the replica is away, rather than busy or replaying."""
    return not (isinstance(error, PoolTimeout) or _sqlstate(error).startswith(_CONFLICT))
