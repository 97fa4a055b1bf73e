"""Whether stores are open, their pauses, and what search engines are told."""

from tests.support.resource import Resource
from tests.support.statuses import (
    assert_a_pause_closes_at_once,
    assert_a_pause_ends_later,
    assert_hours_are_told_to_search_engines,
    assert_now_is_the_default,
    assert_states_follow_the_schedule,
)


async def test_states_follow_the_schedule(stores: Resource) -> None:
    await assert_states_follow_the_schedule(stores, "store")


async def test_now_is_the_default(stores: Resource) -> None:
    await assert_now_is_the_default(stores)


async def test_a_pause_closes_at_once(stores: Resource) -> None:
    await assert_a_pause_closes_at_once(stores)


async def test_a_pause_ends_later(stores: Resource) -> None:
    await assert_a_pause_ends_later(stores)


async def test_hours_are_told_to_search_engines(stores: Resource) -> None:
    await assert_hours_are_told_to_search_engines(stores)
