"""How PostgreSQL would carry out the statements of a repository."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import asyncpg
from sqlalchemy import Engine, event

Node = dict[str, Any]


class Statements(list[tuple[str, tuple[object, ...]]]):
    """SQL with its parameters, in the order it was sent."""


@contextmanager
def recorded() -> Generator[Statements]:
    """Record what SQLAlchemy sends to any database in the block."""
    statements = Statements()

    def record(_connection: object, _cursor: object, sql: str, parameters: Any, *_rest: object) -> None:  # noqa: ANN401 - SQLAlchemy's event signature
        statements.append((sql, tuple(parameters)))

    event.listen(Engine, "before_cursor_execute", record)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", record)


async def nodes(
    connection: "asyncpg.Connection[asyncpg.Record]", sql: str, parameters: tuple[object, ...]
) -> list[Node]:
    """Return the nodes of a statement's plan, the outermost first."""
    plan = json.loads(await connection.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *parameters))
    return list(_flat(plan[0]["Plan"]))


def indexes(plan: list[Node]) -> set[str]:
    """Return the indexes that a plan uses."""
    return {node["Index Name"] for node in plan if "Index Name" in node}


def kinds(plan: list[Node]) -> set[str]:
    """Return what the nodes of a plan do, such as `Seq Scan`."""
    return {node["Node Type"] for node in plan}


def _flat(node: Node) -> Generator[Node]:
    yield node
    for child in node.get("Plans", []):
        yield from _flat(child)
