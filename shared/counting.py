"""How many rows a statement has: counted while they are few, estimated when they are many."""

from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ClauseElement, Executable

from shared.db import ReadConnection

SURELY_MORE = 3
"""The planner is believed without counting when it expects this many times the rows that matter."""

_FEW = 10_000


async def count_rows(connection: ReadConnection, statement: Select[Any], most: int) -> int:
    """Return how many rows `statement` has, or `most` + 1 when there are more than `most`."""
    some = statement.with_only_columns(func.coalesce(1), maintain_column_froms=True).order_by(None)
    counted = select(func.count()).select_from(some.limit(most + 1).subquery())
    return (await connection.execute(counted)).scalar_one()


async def count_up_to(connection: ReadConnection, statement: Select[Any], most: int) -> tuple[int, bool]:
    """Return how many rows `statement` has, and whether that is an estimate, because they are over `most`.

    They are not counted where the planner is sure that they are many more: what it knows of plain columns is
    not that far from the truth.
    """
    counted = await count_rows(connection, statement, min(most, _FEW))
    if counted <= min(most, _FEW):
        return counted, False
    estimate = await estimate_rows(connection, statement)
    if estimate <= SURELY_MORE * most:
        counted = await count_rows(connection, statement, most)
        if counted <= most:
            return counted, False
    return max(estimate, counted), True


async def estimate_rows(connection: ReadConnection, statement: Select[Any]) -> int:
    """Return how many rows the planner expects of `statement`."""
    plan = (await connection.execute(_Explain(statement))).scalar_one()
    return int(plan[0]["Plan"]["Plan Rows"])


class _Explain(Executable, ClauseElement):
    """The planner's view of a statement, as JSON."""

    inherit_cache = False

    def __init__(self, statement: Select[Any]) -> None:
        self.statement = statement


@compiles(_Explain)
def _compile_explain(element: _Explain, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - SQLAlchemy's signature
    return "EXPLAIN (FORMAT JSON) " + compiler.process(element.statement, **options)
