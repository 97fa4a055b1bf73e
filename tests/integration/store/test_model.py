"""The database itself refuses what must not be."""

from typing import Any

import asyncpg
import pytest

from tests.support.resource import Resource


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
