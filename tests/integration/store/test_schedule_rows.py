"""The database itself keeps the rules of stores' schedules."""

from tests.support.resource import Resource
from tests.support.schedule_rows import (
    assert_the_database_and_the_code_agree,
    assert_the_database_keeps_the_rules,
)


async def test_the_database_keeps_the_rules(stores: Resource) -> None:
    await assert_the_database_keeps_the_rules(stores)


async def test_the_database_and_the_code_agree(stores: Resource) -> None:
    await assert_the_database_and_the_code_agree(stores)
