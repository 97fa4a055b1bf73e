"""The application role changes rows alone, and of the history not even those: tried on every table."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import TypeAlias

import asyncpg
import pytest

from shared.migrations import upgrade
from tests.support.databases import SERVICES, TestDatabase, connect
from tests.support.migrations import scratch, write_revision

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

REFUSED = (
    "TRUNCATE {table}",
    "DROP TABLE {table}",
    "ALTER TABLE {table} ADD x int",
    "ALTER TABLE {table} DISABLE TRIGGER ALL",
    "ALTER TABLE {table} OWNER TO CURRENT_USER",
    (
        "CREATE TRIGGER x BEFORE UPDATE ON {table} FOR EACH ROW"
        " EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()"
    ),
    "CREATE RULE x AS ON INSERT TO {table} DO INSTEAD NOTHING",
    "CREATE INDEX ON {table} ((1))",
    "COMMENT ON TABLE {table} IS 'x'",
    "CREATE POLICY x ON {table}",
)
REFUSED_OF_CHANGES = (
    "UPDATE changes SET actor = 'x'",
    "DELETE FROM changes",
    "SELECT FROM changes FOR UPDATE",
    "LOCK TABLE changes IN SHARE MODE",
    "MERGE INTO changes USING (VALUES (1)) AS one (id) ON changes.id = one.id WHEN MATCHED THEN DELETE",
    (
        "INSERT INTO changes OVERRIDING SYSTEM VALUE SELECT * FROM changes"
        " ON CONFLICT (id) DO UPDATE SET actor = 'x'"
    ),
)
REFUSED_OF_THE_VERSION = (
    "UPDATE alembic_version SET version_num = '0001'",
    "DELETE FROM alembic_version",
    "INSERT INTO alembic_version VALUES ('0001')",
)
REFUSED_OF_THE_DATABASE = (
    "CREATE TABLE x ()",
    "CREATE TEMPORARY TABLE x ()",
    "CREATE SCHEMA x",
    "CREATE FUNCTION x() RETURNS int LANGUAGE sql RETURN 1",
    "CREATE EXTENSION vector",
    "SET session_replication_role = replica",
    "SET ROLE {owner}",
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT ALL ON TABLES TO PUBLIC",
)

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
_RIGHTS = """
    SELECT relname, string_agg(privilege_type, ' ' ORDER BY privilege_type) AS rights
    FROM pg_class, aclexplode(relacl) WHERE relnamespace = 'public'::regnamespace AND relkind::text = $2
    AND grantee = $1::regrole GROUP BY relname
"""
_STRANGERS = """
    SELECT relname, grantee::regrole FROM pg_class, aclexplode(relacl)
    WHERE relnamespace = 'public'::regnamespace AND grantee::regrole::text NOT IN ($1, $2)
"""


@pytest.fixture(params=SERVICES)
def database(request: pytest.FixtureRequest, databases: Mapping[str, TestDatabase]) -> TestDatabase:
    return databases[request.param]


@pytest.fixture
async def app(database: TestDatabase) -> AsyncGenerator[Connection]:
    connection = await connect(database.app)
    yield connection
    await connection.close()


async def test_nothing_but_rows_is_changed(app: Connection) -> None:
    tables = [row["tablename"] for row in await app.fetch(_TABLES)]
    assert len(tables) > 5
    for table in tables:
        for statement in REFUSED:
            await _assert_refused(app, statement.format(table=table))


async def test_history_is_only_added_to(app: Connection) -> None:
    for statement in REFUSED_OF_CHANGES:
        await _assert_refused(app, statement)


async def test_nobody_else_says_how_new_the_schema_is(app: Connection) -> None:
    for statement in REFUSED_OF_THE_VERSION:
        await _assert_refused(app, statement)
    assert await app.fetchval("SELECT version_num FROM alembic_version")


async def test_what_earlier_releases_let_others_write_is_taken_back(
    postgres_url: str, tmp_path: Path
) -> None:
    database = await scratch(postgres_url, "earlier")
    write_revision(tmp_path, 1, "op.execute('CREATE TABLE things ()')")
    await asyncio.to_thread(upgrade, database.owner, tmp_path)
    owner = await connect(database.owner)
    await owner.execute(f"GRANT INSERT, UPDATE, DELETE, TRUNCATE ON alembic_version TO {database.app.user}")
    await owner.execute("GRANT UPDATE ON alembic_version TO PUBLIC")
    await asyncio.to_thread(upgrade, database.owner, tmp_path)
    rights = await owner.fetch(_RIGHTS, database.app.user, "r")
    assert {row["relname"]: row["rights"] for row in rights}["alembic_version"] == "SELECT"
    everybody = "SELECT has_table_privilege($1, 'alembic_version', 'UPDATE')"
    assert await owner.fetchval(everybody, database.app.user) is False
    await owner.close()


async def test_the_database_is_not_changed(app: Connection, database: TestDatabase) -> None:
    for statement in REFUSED_OF_THE_DATABASE:
        await _assert_refused(app, statement.format(owner=database.owner.user))


async def test_rights_are_those_of_rows(app: Connection, database: TestDatabase) -> None:
    tables = await _rights(app, database, "r")
    assert tables.pop("changes") == "INSERT SELECT"
    assert tables.pop("alembic_version") == "SELECT"
    assert set(tables.values()) == {"DELETE INSERT SELECT UPDATE"}
    assert set((await _rights(app, database, "S")).values()) == {"SELECT USAGE"}
    assert await app.fetch(_STRANGERS, database.app.user, database.owner.user) == []


async def _rights(app: Connection, database: TestDatabase, kind: str) -> dict[str, str]:
    """Return what the application may do with the tables or sequences, by their names."""
    return {row["relname"]: row["rights"] for row in await app.fetch(_RIGHTS, database.app.user, kind)}


async def _assert_refused(app: Connection, statement: str) -> None:
    transaction = app.transaction()
    await transaction.start()
    try:
        await app.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return
    finally:
        await transaction.rollback()
    pytest.fail(f"{statement} was not refused")
