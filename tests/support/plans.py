"""How PostgreSQL would carry out the statements of a repository."""

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from itertools import chain, combinations
from typing import Any

import asyncpg
from sqlalchemy import Engine, event

Node = dict[str, Any]
Fields = dict[str, Any]


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


async def plans(connection: "asyncpg.Connection[asyncpg.Record]", statements: Statements) -> list[list[Node]]:
    """Carry out recorded statements once more and return the nodes of each one's plan, the outermost first.

    What sets how the others are planned, and what only asks the planner, has no plan.
    """
    found: list[list[Node]] = []
    async with connection.transaction(readonly=True):
        for sql, parameters in statements:
            if "set_config" in sql:
                await connection.execute(sql)
            elif not sql.startswith("EXPLAIN"):
                plan = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *parameters)
                found.append(list(flat(json.loads(plan)[0]["Plan"])))
    return found


def flat(node: Node) -> Generator[Node]:
    """Yield a node of a plan and all below it, the outermost first."""
    yield node
    for child in node.get("Plans", []):
        yield from flat(child)


def rows_read(plan: list[Node], table: str) -> int:
    """Return how many rows of a table, and entries of indexes, were looked at."""
    return sum(_looked_at(node) for node in plan if node.get("Relation Name", table) == table)


def with_all(parts: Mapping[str, Fields]) -> list[Fields]:
    """Return each part of a query, every two of them, and all."""
    few = [each for number in (1, 2) for each in combinations(parts.values(), number)]
    return [dict(chain.from_iterable(part.items() for part in each)) for each in (*few, parts.values())]


def indexes(plan: list[Node]) -> set[str]:
    """Return the indexes that a plan uses."""
    return {node["Index Name"] for node in plan if "Index Name" in node}


def kinds(plan: list[Node]) -> set[str]:
    """Return what the nodes of a plan do, such as `Seq Scan`."""
    return {node["Node Type"] for node in plan}


def _looked_at(node: Node) -> int:
    if not node["Node Type"].endswith("Scan") or node["Node Type"] in {"CTE Scan", "Subquery Scan"}:
        return 0
    removed = sum(node.get(f"Rows Removed by {reason}", 0) for reason in ("Filter", "Index Recheck"))
    return int((node["Actual Rows"] + removed) * node["Actual Loops"])
