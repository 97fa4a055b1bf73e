"""Steps of migrations that let everybody read and write meanwhile, and take as long as they need.

Each commits what came before it and runs outside a transaction, so a revision that has one is begun again
when it was interrupted: all its steps must be such that they can be repeated.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import op

from shared.migrations.limits import LIMITS, NO_LIMITS


@contextmanager
def online() -> Generator[None]:
    """Run the statements of the block one by one, without limits, each committed by itself."""
    with op.get_context().autocommit_block():
        _execute(NO_LIMITS)
        yield
        _execute(LIMITS)


def create_index(
    name: str,
    table: str,
    columns: Sequence[str | sa.TextClause],
    **options: Any,  # noqa: ANN401 - those of op.create_index
) -> None:
    """Build an index while others write; what an interrupted attempt left, INVALID perhaps, is replaced."""
    with online():
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)
        op.create_index(
            name, table, list(columns), if_not_exists=True, postgresql_concurrently=True, **options
        )


def drop_index(name: str, table: str) -> None:
    """Drop an index, if it is still there, while others read."""
    with online():
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)


def _execute(statements: Sequence[str]) -> None:
    for statement in statements:
        op.execute(statement)
