"""PostgreSQL: an engine that writes, an engine that reads, and transactions that say when they commit."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, NewType, Protocol, cast

import asyncpg
import msgspec
from sqlalchemy import URL, PoolProxiedConnection, QueuePool, event
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.exc import DBAPIError, DisconnectionError, IntegrityError, MissingGreenlet
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.util.concurrency import in_greenlet

from shared.config import DatabaseConfig
from shared.errors import GeraiError, InvalidInput, ServiceUnavailable

ReadConnection = NewType("ReadConnection", AsyncConnection)
"""A connection for questions; it may be to a replica and see the past."""

WriteConnection = NewType("WriteConnection", AsyncConnection)
"""A connection inside a transaction on the primary."""

CONNECT_SECONDS = 3
STATEMENT_SECONDS = 5

_INVALID_DATA = "22"
_UNAVAILABLE = ("08", "53", "57")


class Row(Protocol):
    """A row by column name."""

    def __getitem__(self, column: str, /) -> Any: ...  # noqa: ANN401 - a column's value


class Database:
    """The engines of one service; without a replica both are one.

    `committed` is set after each commit, for whoever waits to read what it wrote. A statement may take
    `statement_seconds`, or as long as it likes when that is None.
    """

    def __init__(
        self, config: DatabaseConfig, application: str, *, statement_seconds: float | None = STATEMENT_SECONDS
    ) -> None:
        reader = config.reader()
        self._write = _engine(config, application, statement_seconds)
        self._read = self._write if reader == config else _engine(reader, application, statement_seconds)
        self.committed = asyncio.Event()
        self._control = _engine(msgspec.structs.replace(config, pool_size=1), application, STATEMENT_SECONDS)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[WriteConnection]:
        """Open a transaction on the primary: committed at the end of the block, rolled back on an error."""
        async with self._write.begin() as connection:
            yield WriteConnection(connection)
        self.committed.set()

    @asynccontextmanager
    async def reading(self, *, primary: bool = False) -> AsyncGenerator[ReadConnection]:
        """Open a connection for questions; with `primary` they see every acknowledged change."""
        async with (self._write if primary else self._read).connect() as connection:
            yield ReadConnection(connection)

    async def fetch_one(
        self, question: "Question", *, primary: bool = False, **parameters: object
    ) -> Row | None:
        """Return the first row of a prepared question, bypassing SQLAlchemy's execution for speed.

        It runs on an asyncpg connection of the read engine's own pool; with `primary`, the write engine's.
        """
        return await _first_row(self._write if primary else self._read, question, parameters)

    async def fetch_control(self, question: "Question", **parameters: object) -> Row | None:
        """Return the first row of a question that must be answered however busy the others' connections are.

        It has one connection of its own, to the primary.
        """
        return await _first_row(self._control, question, parameters)

    async def close(self) -> None:
        """Close every connection."""
        for engine in (self._write, self._read, self._control):
            await engine.dispose()


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
    if isinstance(error, PoolTimeout | OSError | asyncpg.InterfaceError):
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


def _engine(config: DatabaseConfig, application: str, statement_seconds: float | None) -> AsyncEngine:
    url = URL.create(
        "postgresql+asyncpg",
        username=config.user,
        password=config.password.reveal(),
        host=config.host,
        port=config.port,
        database=config.name,
    )
    engine = create_async_engine(
        url,
        pool_size=config.pool_size,
        max_overflow=0,
        pool_timeout=config.pool_wait_ms / 1000,
        pool_recycle=1800,
        hide_parameters=True,  # errors are logged; e-mail addresses and password hashes are not
        connect_args={
            "timeout": CONNECT_SECONDS,
            "command_timeout": statement_seconds and statement_seconds + 1,
            "ssl": _ssl(config.sslmode),
            "server_settings": {
                "application_name": application,
                "search_path": config.schema,
                "statement_timeout": f"{statement_seconds or 0}s",
                "idle_in_transaction_session_timeout": "10s",
                "jit": "off",
            },
        },
    )
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    event.listen(engine.sync_engine, "do_connect", _connect_in_greenlet)
    return engine


async def _first_row(engine: AsyncEngine, question: Question, parameters: Mapping[str, object]) -> Row | None:
    connection = await _checked_out(engine)
    try:
        driver = cast("asyncpg.Connection[asyncpg.Record]", connection.driver_connection)
        return await driver.fetchrow(question.sql, *question.arguments(parameters))
    finally:
        connection.close()


async def _checked_out(engine: AsyncEngine) -> PoolProxiedConnection:
    """Return a connection of the pool; an idle one without a greenlet, which costs as much as a query."""
    if cast(QueuePool, engine.pool).checkedin():
        with suppress(MissingGreenlet):
            return engine.sync_engine.raw_connection()
    return await engine.raw_connection()


def _connect_in_greenlet(*_: object) -> None:
    """Refuse to connect where nothing can be awaited: an idle connection was taken there, and had ended."""
    if not in_greenlet():
        raise MissingGreenlet


def _refuse_closed(dbapi_connection: Any, record: object, proxy: object) -> None:  # noqa: ANN401 - SQLAlchemy's event signature
    """Replace pooled connections that the server has closed, at no cost in round trips."""
    del record, proxy
    if dbapi_connection.driver_connection.is_closed():
        raise DisconnectionError


def _ssl(mode: str) -> ssl.SSLContext | str:
    return ssl.create_default_context() if mode == "verify-full" else mode
