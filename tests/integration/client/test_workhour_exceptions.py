"""The exceptions of clients."""

from tests.support.exceptions import (
    assert_a_day_is_covered_once,
    assert_additions_can_be_repeated,
    assert_exceptions_are_kept,
    assert_exceptions_are_listed_by_day,
    assert_only_exceptions_are_accepted,
    assert_racing_exceptions_do_not_overlap,
    assert_there_are_only_so_many,
)
from tests.support.resource import Resource


async def test_exceptions_are_kept(clients: Resource) -> None:
    await assert_exceptions_are_kept(clients)


async def test_exceptions_are_listed_by_day(clients: Resource) -> None:
    await assert_exceptions_are_listed_by_day(clients)


async def test_a_day_is_covered_once(clients: Resource) -> None:
    await assert_a_day_is_covered_once(clients)


async def test_racing_exceptions_do_not_overlap(clients: Resource) -> None:
    await assert_racing_exceptions_do_not_overlap(clients)


async def test_only_exceptions_are_accepted(clients: Resource) -> None:
    await assert_only_exceptions_are_accepted(clients)


async def test_additions_can_be_repeated(clients: Resource) -> None:
    await assert_additions_can_be_repeated(clients)


async def test_there_are_only_so_many(clients: Resource) -> None:
    await assert_there_are_only_so_many(clients)
