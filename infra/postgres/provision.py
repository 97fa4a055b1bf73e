"""The databases and roles of the services, made from a superuser's connection.

Each service has a database with two roles: the owner migrates, the application reads and writes rows. PUBLIC,
which means every role of the server, may do nothing there. Another role, for monitors, sees the statistics of
all databases and no rows; one more, for backups, reads all of the server and changes nothing. All of it can
run again at any time.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol, cast

import asyncpg

_LOCK = 1_734_697_581  # any number of our own: one provisioning at a time on a server
_FIRST_VERSION_WITH_OWN_LOCALES = 17

MONITOR = "gerai_monitor"
"""The role that monitors work as."""

BACKUP = "gerai_backup"
"""The role that backups are made as."""

_RIGHTS = (
    "REVOKE ALL ON DATABASE {name} FROM PUBLIC",
    "GRANT CONNECT ON DATABASE {name} TO {app}",
    "GRANT {app} TO {owner}",  # whose sessions and statements it may then see: ./taskw db:report
    "ALTER SCHEMA public OWNER TO {owner}",
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    "GRANT USAGE ON SCHEMA public TO {app}",
    # Rights on what migrations will make. What exists is left alone: a migration may have narrowed it.
    (
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public"
        " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app}"
    ),
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {app}",
    # PostgreSQL gives functions to PUBLIC for the whole database, so that is where it has to be taken back.
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO {app}",
)


class _Version(Protocol):
    major: int


class _Connection(Protocol):
    """What is used here of an asyncpg connection, whose own types are incomplete."""

    async def execute(self, query: str, *values: object) -> str: ...

    async def fetchval(self, query: str, *values: object) -> Any: ...  # noqa: ANN401 - a column's value

    async def fetchrow(self, query: str, *values: object) -> Sequence[str]: ...

    def transaction(self) -> AbstractAsyncContextManager[object]: ...

    def get_server_version(self) -> _Version: ...

    async def close(self) -> None: ...


@dataclass(frozen=True)
class ServiceDatabase:
    """A database to provide. Its roles are called like it, with `_owner` and `_app` added."""

    name: str
    owner_password: str
    app_password: str

    @property
    def owner(self) -> str:
        """The role that owns the database and migrates it."""
        return f"{self.name}_owner"

    @property
    def app(self) -> str:
        """The role a service runs with: it reads and writes rows, and changes no schema."""
        return f"{self.name}_app"


async def provision(superuser_url: str, databases: Sequence[ServiceDatabase]) -> None:
    """Make or correct databases and roles on the server of `superuser_url`, and set the roles' passwords.

    Raises:
        asyncpg.PostgresError: the server refuses.
        OSError: the server cannot be reached.
    """
    async with _connected(superuser_url) as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        for database in databases:
            await _provide_role(connection, database.owner, database.owner_password)
            await _provide_role(connection, database.app, database.app_password)
            await _provide_database(connection, database)
        await _provide_statements(connection)
        await asyncio.gather(*(_provide_rights(superuser_url, database) for database in databases))
        # At the end: the application would have no right on what a migration made before.
        for database in databases:
            await _let_in(connection, database.owner, database.app)


async def provide_monitor(superuser_url: str, password: str, databases: Sequence[str]) -> None:
    """Make or correct the role MONITOR, which may connect to `databases` and see the server's statistics.

    Raises:
        asyncpg.PostgresError: the server refuses.
        OSError: the server cannot be reached.
    """
    await _provide_onlooker(superuser_url, MONITOR, password, databases, ["GRANT pg_monitor TO %I"])


async def provide_backup(superuser_url: str, password: str, databases: Sequence[str]) -> None:
    """Make or correct the role BACKUP, which may copy the server, follow its WAL and dump `databases`.

    Raises:
        asyncpg.PostgresError: the server refuses.
        OSError: the server cannot be reached.
    """
    rights = ["ALTER ROLE %I REPLICATION", "GRANT pg_read_all_data, pg_read_all_stats TO %I"]
    await _provide_onlooker(superuser_url, BACKUP, password, databases, rights)


async def _provide_onlooker(
    superuser_url: str, role: str, password: str, databases: Sequence[str], rights: Sequence[str]
) -> None:
    """Make or correct a role that owns nothing, with `rights` on the whole server."""
    async with _connected(superuser_url) as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await _provide_role(connection, role, password)
        for right in rights:
            await _run(connection, right, role)
        for name in databases:
            await _run(connection, "GRANT CONNECT ON DATABASE %I TO %I", name, role)
        await _let_in(connection, role)


@asynccontextmanager
async def _connected(url: str, database: str | None = None) -> AsyncGenerator[_Connection]:
    connect = cast("Callable[..., Awaitable[_Connection]]", asyncpg.connect)
    connection = await connect(url, database=database)
    try:
        yield connection
    finally:
        await connection.close()


async def _provide_role(connection: _Connection, role: str, password: str) -> None:
    """Make a role, which cannot log in yet, or set the password of one."""
    exists = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role)
    is_superuser = await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    if is_superuser:
        # Else the server's log could show the password.
        await connection.execute("SET log_statement = 'none'; SET log_min_error_statement = 'panic'")
    await _run(connection, f"{'ALTER' if exists else 'CREATE'} ROLE %I PASSWORD %L", role, password)
    if not is_superuser:
        await _run(connection, "GRANT %I TO CURRENT_USER", role)


async def _let_in(connection: _Connection, *roles: str) -> None:
    for role in roles:
        await _run(connection, "ALTER ROLE %I LOGIN", role)


async def _provide_database(connection: _Connection, database: ServiceDatabase) -> None:
    """Make the database, where possible with a sort order that is the same on every machine."""
    if await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", database.name):
        await _run(connection, "ALTER DATABASE %I OWNER TO %I", database.name, database.owner)
        return
    locale = ""
    if connection.get_server_version().major >= _FIRST_VERSION_WITH_OWN_LOCALES:
        locale = "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
    statement = f"CREATE DATABASE %I OWNER %I TEMPLATE template0 ENCODING 'UTF8' {locale}"
    await _run(connection, statement, database.name, database.owner)


async def _provide_statements(connection: _Connection) -> None:
    """Make pg_stat_statements visible where the server counts: the one view tells of every database."""
    counts = await connection.fetchval("SELECT true FROM pg_settings WHERE name = 'pg_stat_statements.max'")
    if counts:
        await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")


async def _provide_rights(superuser_url: str, database: ServiceDatabase) -> None:
    async with _connected(superuser_url, database.name) as connection, connection.transaction():
        quote = "SELECT quote_ident($1), quote_ident($2), quote_ident($3)"
        name, owner, app = await connection.fetchrow(quote, database.name, database.owner, database.app)
        for statement in _RIGHTS:
            await connection.execute(statement.format(name=name, owner=owner, app=app))


async def _run(connection: _Connection, template: str, *values: str) -> None:
    """Run a statement that takes no parameters, with `values` quoted by the server: %I names, %L literals."""
    statement = await connection.fetchval("SELECT format($1, VARIADIC $2::text[])", template, values)
    await connection.execute(statement)
