"""The database itself keeps the rules of clients' schedules."""

from tests.support.resource import Resource
from tests.support.schedule_rows import (
    assert_the_database_and_the_code_agree,
    assert_the_database_keeps_the_rules,
)


async def test_the_database_keeps_the_rules(clients: Resource) -> None:
    await assert_the_database_keeps_the_rules(clients)


async def test_the_database_and_the_code_agree(clients: Resource) -> None:
    await assert_the_database_and_the_code_agree(clients)
