"""The migrations make what model.py says, and the database itself refuses what must not be."""

from typing import Any

import asyncpg
import pytest

from services.client.model import metadata
from tests.support.catalog import made_and_declared
from tests.support.databases import TestDatabase, connect
from tests.support.resource import Resource


async def test_migrations_make_the_model(client_database: TestDatabase) -> None:
    made, declared = await made_and_declared(client_database.owner, metadata)
    assert made
    assert made == declared


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("name", ""),
        ("email", ""),
        ("country", "id"),
        ("country", "IDN"),
        ("phone", "0812"),
        ("phone", "+62"),
        ("version", 0),
        ("name", None),
        ("email", None),
        ("country", None),
        ("timezone", None),
        ("is_active", None),
        ("search", None),
    ],
)
async def test_the_database_refuses(clients: Resource, column: str, value: Any) -> None:  # noqa: ANN401 - any column's
    await clients.make()
    with pytest.raises((asyncpg.IntegrityConstraintViolationError, asyncpg.StringDataRightTruncationError)):
        await clients.run(f"UPDATE clients SET {column} = $1", value)  # noqa: S608 - columns of the list above


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE clients",
        "ALTER TABLE clients ADD x int",
        "TRUNCATE clients",
        "CREATE TABLE x ()",
        "UPDATE changes SET actor = 'x'",
        "DELETE FROM changes",
        "TRUNCATE changes",
        "SELECT 1 FROM changes FOR UPDATE",
    ],
)
async def test_the_application_role_changes_rows_alone(client_database: TestDatabase, statement: str) -> None:
    connection = await connect(client_database.app)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(statement)
    await connection.close()
