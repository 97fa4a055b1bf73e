"""PostgreSQL: an engine that writes, an engine that reads, and transactions that say when they commit."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, NewType, Protocol, TypeVar, cast

import asyncpg
import msgspec
from prometheus_client import CollectorRegistry
from sqlalchemy import PoolProxiedConnection, QueuePool, text
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.exc import MissingGreenlet
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

from shared.cache.link import RedisLink
from shared.config import DatabaseConfig
from shared.db_errors import CONNECTION_FAILURES, is_lost, may_ask_again
from shared.engine import STATEMENT_SECONDS, create_engine, pool_of
from shared.replica.choice import ReplicaChoice
from shared.replica.own_writes import UNKNOWN, OwnWrites
from shared.replica.watch import ReplicaWatch
from shared.security.caller import current_caller
from shared.telemetry.pools import PoolMetrics
from shared.telemetry.statements import Statement

T = TypeVar("T")

ReadConnection = NewType("ReadConnection", AsyncConnection)
"""A connection for questions; it may be to a replica and see the past."""

WriteConnection = NewType("WriteConnection", AsyncConnection)
"""A connection inside a transaction on the primary."""


class Row(Protocol):
    """A row by column name."""

    def __getitem__(self, column: str, /) -> Any: ...  # noqa: ANN401 - a column's value


class Database:
    """The engines of one service.

    `committed` is set after each commit, for whoever waits to read what it wrote. A statement may take
    `statement_seconds`, or as long as it likes when that is None.

    With `redis`, which tells who has just written, reads may go to the replica that `config` names, once
    `start` watches it. Without either the primary answers everything, and nothing is asked or noted.
    """

    def __init__(
        self,
        config: DatabaseConfig,
        application: str,
        redis: RedisLink | None = None,
        registry: CollectorRegistry | None = None,
        *,
        statement_seconds: float | None = STATEMENT_SECONDS,
    ) -> None:
        alone = msgspec.structs.replace(config, pool_size=1)
        self._write = create_engine(config, application, statement_seconds)
        self._control = create_engine(alone, application, pool="control")
        self._read, self._read_control = self._write, self._control
        self._replica: ReplicaChoice | None = None
        engines = {"write": self._write, "control": self._control}
        self.committed = asyncio.Event()
        if redis and config.reader() != config:
            reader = config.reader()
            self._read = create_engine(reader, application, statement_seconds, pool="read", read_only=True)
            self._read_control = create_engine(
                alone.reader(), application, pool="read_control", read_only=True
            )
            engines |= {"read": self._read, "read_control": self._read_control}
            watch = ReplicaWatch(self._position, self._replayed, config.read_max_lag_seconds)
            self._replica = ReplicaChoice(watch, OwnWrites(redis, application), registry)
        if registry:
            PoolMetrics(engines, registry)

    @asynccontextmanager
    async def transaction(self, caller: str | None = None) -> AsyncGenerator[WriteConnection]:
        """Open a transaction on the primary: committed at the end of the block, rolled back on an error.

        It is `caller`, or who the request being served is from, whose next reads will see it.
        """
        writer = caller or current_caller()
        async with self._write.connect() as connection:
            async with _committing(connection, self._write):
                yield WriteConnection(connection)
            self.committed.set()
            written = await _end_of_log(connection) if self._replica and writer else 0
        if self._replica and writer:
            await self._replica.wrote(writer, written)

    @asynccontextmanager
    async def reading(self, *, primary: bool = False) -> AsyncGenerator[ReadConnection]:
        """Open a connection for questions; with `primary` they see every acknowledged change.

        One to the replica may fail in the middle; what can be asked again is for `read`.
        """
        async with AsyncExitStack() as stack:

            async def connected(engine: AsyncEngine) -> AsyncConnection:
                return await stack.enter_async_context(engine.connect())

            yield ReadConnection(await self._answer(connected, primary=primary))

    async def read(self, ask: Callable[[ReadConnection], Awaitable[T]], *, primary: bool = False) -> T:
        """Return what `ask` returns; with `primary` it sees every acknowledged change.

        When the replica fails it, by ending the query in favour of its replay as well, it is asked again of
        the primary: it must only read.
        """

        async def asked(engine: AsyncEngine) -> T:
            async with engine.connect() as connection:
                return await ask(ReadConnection(connection))

        return await self._answer(asked, primary=primary)

    async def fetch_one(
        self, question: "Question", *, primary: bool = False, **parameters: object
    ) -> Row | None:
        """Return the first row of a prepared question, bypassing SQLAlchemy's execution for speed.

        It runs on an asyncpg connection of an engine's own pool; with `primary`, the write engine's.
        """
        if primary or self._replica is None:
            return await _first_row(self._write, question, parameters)
        return await self._answer(lambda engine: _first_row(engine, question, parameters), primary=False)

    async def fetch_control(self, question: "Question", **parameters: object) -> Row | None:
        """Return the first row of a question that must be answered however busy the others' connections are.

        It has one connection of its own, to the primary.
        """
        return await _first_row(self._control, question, parameters)

    async def start(self) -> None:
        """Begin to watch the replica, if there is one."""
        if self._replica:
            await self._replica.start()

    async def close(self) -> None:
        """Close every connection."""
        if self._replica:
            await self._replica.stop()
        for engine in (self._write, self._read, self._control, self._read_control):
            await engine.dispose()

    async def _answer(self, ask: Callable[[AsyncEngine], Awaitable[T]], *, primary: bool) -> T:
        replica = self._replica
        if primary or replica is None or not await replica.may_answer():
            return await ask(self._write)
        try:
            answer = await ask(self._read)
        except Exception as error:
            if not may_ask_again(error):
                raise
            replica.failed(error, lost=is_lost(error))
            return await ask(self._write)
        replica.answered()
        return answer

    async def _position(self) -> int | None:
        row = await self.fetch_control(_FLUSHED)
        return row["position"] if row else None

    async def _replayed(self) -> int | None:
        row = await _first_row(self._read_control, _REPLAYED, {})
        return row["position"] if row else None


class Question:
    """A Core statement compiled once, at start, with its own constants."""

    def __init__(self, statement: ClauseElement) -> None:
        compiled = cast(SQLCompiler, statement.compile(dialect=PGDialect_asyncpg()))
        self.sql = str(compiled)
        self._order = tuple(compiled.positiontup or ())
        self._constants = {name: value for name, value in compiled.params.items() if value is not None}

    def arguments(self, parameters: Mapping[str, object]) -> list[object]:
        """Return `parameters` in the order of the statement's placeholders."""
        values = {**self._constants, **parameters} if self._constants else parameters
        return [values[name] for name in self._order]


_FLUSHED = Question(text("SELECT (pg_current_wal_flush_lsn() - '0/0')::bigint AS position"))
_REPLAYED = Question(
    text(
        "SELECT CASE WHEN pg_is_in_recovery() THEN (pg_last_wal_replay_lsn() - '0/0')::bigint END AS position"
    )
)
# Not what is flushed: with synchronous_commit off, a commit is acknowledged before.
_INSERTED = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint"


@asynccontextmanager
async def _committing(connection: AsyncConnection, engine: AsyncEngine) -> AsyncGenerator[None]:
    """Surround a transaction; its end is measured as the statement that it is."""
    commit: Statement | None = None
    try:
        async with connection.begin():
            yield
            commit = Statement(pool_of(engine), "COMMIT")
    except BaseException as error:
        if commit:
            commit.end(error)
        raise
    commit.end()


async def _end_of_log(connection: AsyncConnection) -> int:
    """Return where the primary's log ends, past SQLAlchemy, which would begin a transaction."""
    raw = await connection.get_raw_connection()
    try:
        return await cast("asyncpg.Connection[asyncpg.Record]", raw.driver_connection).fetchval(_INSERTED)
    except (asyncpg.PostgresError, *CONNECTION_FAILURES):  # committed it is, all the same
        return UNKNOWN


async def _first_row(engine: AsyncEngine, question: Question, parameters: Mapping[str, object]) -> Row | None:
    connection = await _checked_out(engine)
    statement = Statement(pool_of(engine), question.sql)
    try:
        driver = cast("asyncpg.Connection[asyncpg.Record]", connection.driver_connection)
        row = await driver.fetchrow(question.sql, *question.arguments(parameters))
    except BaseException as error:
        statement.end(error)
        raise
    else:
        statement.end()
        return row
    finally:
        connection.close()


async def _checked_out(engine: AsyncEngine) -> PoolProxiedConnection:
    """Return a connection of the pool; an idle one without a greenlet, which costs as much as a query."""
    if cast(QueuePool, engine.pool).checkedin():
        with suppress(MissingGreenlet):
            return engine.sync_engine.raw_connection()
    return await engine.raw_connection()
