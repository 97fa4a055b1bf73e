"""The weeks of clients."""

from tests.support.resource import Resource
from tests.support.workhours import (
    assert_a_week_is_replaced_whole,
    assert_one_of_many_weeks_wins,
    assert_only_weeks_are_accepted,
    assert_the_schedule_of_nobody_is_not_found,
    assert_weeks_are_conditional,
)


async def test_a_week_is_replaced_whole(clients: Resource) -> None:
    await assert_a_week_is_replaced_whole(clients, "client")


async def test_weeks_are_conditional(clients: Resource) -> None:
    await assert_weeks_are_conditional(clients)


async def test_one_of_many_weeks_wins(clients: Resource) -> None:
    await assert_one_of_many_weeks_wins(clients)


async def test_only_weeks_are_accepted(clients: Resource) -> None:
    await assert_only_weeks_are_accepted(clients)


async def test_the_schedule_of_nobody_is_not_found(clients: Resource) -> None:
    await assert_the_schedule_of_nobody_is_not_found(clients, "CLIENT_NOT_FOUND")
