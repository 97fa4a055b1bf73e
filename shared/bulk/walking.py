"""All rows of a list, some at a time, however long whoever takes them pauses."""

from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Column, RowMapping, Select, tuple_

from shared.db import Database, ReadConnection, Row

T = TypeVar("T")

_AT_ONCE = 1_000


async def walk(
    database: Database, statement: Select[Any], order: Sequence[Column[Any]], read: Callable[[Row], T]
) -> AsyncIterator[list[T]]:
    """Yield the rows of `statement` by `order`: columns that are indexed, never change and tell rows apart.

    No connection is held in between, so a slow reader costs nothing, and what changes meanwhile is seen as it
    is when its turn comes. Rows that are there from beginning to end come exactly once.
    """
    page = statement.order_by(*order).limit(_AT_ONCE)
    part = page
    while True:
        rows = await database.read(partial(_rows, part))
        yield [read(row) for row in rows]
        if len(rows) < _AT_ONCE:
            return
        last = [rows[-1][column] for column in order]
        part = page.where(tuple_(*order) > tuple_(*last))


async def _rows(statement: Select[Any], connection: ReadConnection) -> Sequence[RowMapping]:
    return (await connection.execute(statement)).mappings().all()
