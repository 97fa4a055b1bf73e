"""The database itself refuses what must not be."""

from typing import Any

import asyncpg
import pytest

from tests.support.resource import Resource


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
