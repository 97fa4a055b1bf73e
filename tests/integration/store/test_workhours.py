"""The weeks of stores."""

from tests.support.resource import Resource
from tests.support.workhours import (
    assert_a_week_is_replaced_whole,
    assert_one_of_many_weeks_wins,
    assert_only_weeks_are_accepted,
    assert_the_schedule_of_nobody_is_not_found,
    assert_weeks_are_conditional,
)


async def test_a_week_is_replaced_whole(stores: Resource) -> None:
    await assert_a_week_is_replaced_whole(stores, "store")


async def test_weeks_are_conditional(stores: Resource) -> None:
    await assert_weeks_are_conditional(stores)


async def test_one_of_many_weeks_wins(stores: Resource) -> None:
    await assert_one_of_many_weeks_wins(stores)


async def test_only_weeks_are_accepted(stores: Resource) -> None:
    await assert_only_weeks_are_accepted(stores)


async def test_the_schedule_of_nobody_is_not_found(stores: Resource) -> None:
    await assert_the_schedule_of_nobody_is_not_found(stores, "STORE_NOT_FOUND")
