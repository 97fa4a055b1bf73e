"""Whether clients are open, their pauses, and what search engines are told."""

from tests.support.resource import Resource
from tests.support.statuses import (
    assert_a_pause_closes_at_once,
    assert_a_pause_ends_later,
    assert_hours_are_told_to_search_engines,
    assert_now_is_the_default,
    assert_states_follow_the_schedule,
)


async def test_states_follow_the_schedule(clients: Resource) -> None:
    await assert_states_follow_the_schedule(clients, "client")


async def test_now_is_the_default(clients: Resource) -> None:
    await assert_now_is_the_default(clients)


async def test_a_pause_closes_at_once(clients: Resource) -> None:
    await assert_a_pause_closes_at_once(clients)


async def test_a_pause_ends_later(clients: Resource) -> None:
    await assert_a_pause_ends_later(clients)


async def test_hours_are_told_to_search_engines(clients: Resource) -> None:
    await assert_hours_are_told_to_search_engines(clients)
