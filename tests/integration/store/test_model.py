"""The migrations make what model.py says, and the database itself refuses what must not be."""

from typing import Any

import asyncpg
import pytest

from services.store.model import metadata
from tests.support.catalog import made_and_declared
from tests.support.databases import TestDatabase, connect
from tests.support.resource import Resource


async def test_migrations_make_the_model(store_database: TestDatabase) -> None:
    made, declared = await made_and_declared(store_database.owner, metadata)
    assert made
    assert made == declared


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("code", ""),
        ("name", ""),
        ("timezone", ""),
        ("country", "id"),
        ("country", "IDN"),
        ("phone", "0812"),
        ("email", "x"),
        ("email", "a@b@c"),
        ("latitude", 90.1),
        ("latitude", -90.1),
        ("latitude", float("nan")),
        ("latitude", float("inf")),
        ("latitude", None),
        ("longitude", 180.1),
        ("longitude", -180.1),
        ("longitude", float("nan")),
        ("longitude", None),
        ("version", 0),
        ("client_uuid", None),
        ("code", None),
        ("name", None),
        ("country", None),
        ("timezone", None),
        ("is_active", None),
        ("search", None),
    ],
)
async def test_the_database_refuses(stores: Resource, column: str, value: Any) -> None:  # noqa: ANN401 - any column's
    await stores.make(latitude=1, longitude=2)
    with pytest.raises((asyncpg.IntegrityConstraintViolationError, asyncpg.StringDataRightTruncationError)):
        await stores.run(f"UPDATE stores SET {column} = $1", value)  # noqa: S608 - columns of the list above


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE stores",
        "ALTER TABLE stores ADD x int",
        "TRUNCATE stores",
        "CREATE TABLE x ()",
        "UPDATE changes SET actor = 'x'",
        "DELETE FROM changes",
        "TRUNCATE changes",
        "SELECT 1 FROM changes FOR UPDATE",
    ],
)
async def test_the_application_role_changes_rows_alone(store_database: TestDatabase, statement: str) -> None:
    connection = await connect(store_database.app)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(statement)
    await connection.close()
