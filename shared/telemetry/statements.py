"""SQL statements as they are run: how long they take, and a span of each where the request is recorded."""

import re
import time
from functools import lru_cache

from opentelemetry.trace import Span

from shared.telemetry.context import is_recorded
from shared.telemetry.durations import Durations
from shared.telemetry.spans import begin_client_span, end_span

MOST_TEXT = 2000
"""Characters of a statement that its span shows."""

_VERB = re.compile(r"[A-Za-z]+")
_TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+(?:ONLY\s+)?\"?([a-z_]+)\b(?!\s*\))", re.IGNORECASE)

STATEMENTS = Durations[str, str, str](
    "db_client_operation_duration_seconds",
    "Time of a statement, from sending it to its last row, by pool and by verb and first table.",
    ("pool", "operation", "error_type"),
)
"""Those of this process: statements are run by parts that do not know its registry."""


class Pool:
    """A pool of connections as its statements tell of it; engines carry it among their execution options."""

    OPTION = "gerai_pool"

    def __init__(self, name: str, database: str, host: str, port: int) -> None:
        self.name = name
        self.attributes = {
            "db.system.name": "postgresql",
            "db.namespace": database,
            "server.address": host,
            "server.port": port,
            "gerai.pool": name,
        }


class Statement:
    """One statement, from its making to `end`."""

    __slots__ = ("_pool", "_span", "_sql", "_started")

    def __init__(self, pool: Pool, sql: str) -> None:
        self._pool = pool
        self._sql = sql
        self._span = _begin_span(pool, sql) if is_recorded() else None
        self._started = time.perf_counter()

    def end(self, error: BaseException | None = None) -> None:
        """Note that it is over, with what it failed of."""
        seconds = time.perf_counter() - self._started
        labels = self._pool.name, summary(self._sql), type(error).__qualname__ if error else ""
        STATEMENTS.observe(labels, seconds)
        if self._span:
            end_span(self._span, error)


@lru_cache(maxsize=4096)
def summary(sql: str) -> str:
    """Return the verb and the first table, such as `SELECT stores`: one of few, whatever is asked."""
    verb, table = _VERB.search(sql), _TABLE.search(sql)
    name = verb[0].upper() if verb else "OTHER"
    return f"{name} {table[1]}" if table else name


def _begin_span(pool: Pool, sql: str) -> Span:
    name = summary(sql)
    verb, _, table = name.partition(" ")
    attributes = {
        **pool.attributes,
        "db.operation.name": verb,
        "db.query.summary": name,
        "db.query.text": sql[:MOST_TEXT],
    }
    if table:
        attributes["db.collection.name"] = table
    return begin_client_span(name, attributes)
