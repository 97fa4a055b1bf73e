"""The migrations make what model.py says, and the application role may do no more than it needs."""

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from services.auth.model import metadata
from shared.db import Database
from tests.support.databases import TestDatabase, connect


async def test_migrations_make_the_model(auth_database: TestDatabase) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        return list(compare_metadata(context, metadata))

    database = Database(auth_database.owner, "tests")
    async with database.transaction() as connection:
        assert await connection.run_sync(differences) == []
    await database.close()


@pytest.mark.parametrize(
    "statement", ["DROP TABLE users", "ALTER TABLE users ADD x int", "TRUNCATE users", "CREATE TABLE x ()"]
)
async def test_the_application_role_changes_rows_alone(auth_database: TestDatabase, statement: str) -> None:
    connection = await connect(auth_database.app)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(statement)
    await connection.close()
