"""Pools of connections to PostgreSQL, with a limit on everything that could take long."""

import ssl
from typing import Any

from sqlalchemy import URL, ExceptionContext, event
from sqlalchemy import Connection as SqlConnection
from sqlalchemy.exc import DisconnectionError, MissingGreenlet
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util.concurrency import in_greenlet

from shared.config import DatabaseConfig
from shared.telemetry.pools import MeasuredPool
from shared.telemetry.statements import Pool, Statement

CONNECT_SECONDS = 3
STATEMENT_SECONDS = 5

_READ_ONLY = {"default_transaction_read_only": "on"}


def create_engine(
    config: DatabaseConfig,
    application: str,
    statement_seconds: float | None = STATEMENT_SECONDS,
    *,
    pool: str = "write",
    read_only: bool = False,
) -> AsyncEngine:
    """Return an engine that connects when it is first used; with `read_only` its transactions are.

    Its metrics and spans call it `pool`. A statement may take `statement_seconds`, or as long as it likes
    when that is None.
    """
    engine = create_async_engine(
        _url(config),
        execution_options={Pool.OPTION: Pool(pool, config.name, config.host, config.port)},
        poolclass=MeasuredPool,
        pool_logging_name=pool,
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
                **(_READ_ONLY if read_only else {}),
            },
        },
    )
    _listen(engine)
    return engine


def pool_of(engine: AsyncEngine) -> Pool:
    """Return what the metrics and spans of an engine say of its pool."""
    return engine.sync_engine.get_execution_options()[Pool.OPTION]


def _url(config: DatabaseConfig) -> URL:
    return URL.create(
        "postgresql+asyncpg",
        username=config.user,
        password=config.password.reveal(),
        host=config.host,
        port=config.port,
        database=config.name,
    )


def _listen(engine: AsyncEngine) -> None:
    """Have each statement measured, and no connection that is of no use handed out."""
    listeners = {
        "checkout": _refuse_closed,
        "do_connect": _connect_in_greenlet,
        "before_cursor_execute": _begin_statement,
        "after_cursor_execute": _end_statement,
        "handle_error": _fail_statement,
    }
    for name, listener in listeners.items():
        event.listen(engine.sync_engine, name, listener)


def _begin_statement(
    connection: SqlConnection,
    cursor: object,
    sql: str,
    parameters: object,
    context: Any,  # noqa: ANN401 - likewise
    many: object,
) -> None:
    del cursor, parameters, many
    context.gerai_statement = Statement(connection.get_execution_options()[Pool.OPTION], sql)


def _end_statement(
    connection: SqlConnection,
    cursor: object,
    sql: str,
    parameters: object,
    context: Any,  # noqa: ANN401 - likewise
    many: object,
) -> None:
    del connection, cursor, sql, parameters, many
    context.gerai_statement.end()


def _fail_statement(failure: ExceptionContext) -> None:
    statement = getattr(failure.execution_context, "gerai_statement", None)
    if statement:
        statement.end(failure.original_exception)


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
