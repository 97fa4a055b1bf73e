"""Edits of clients cannot overwrite one another."""

from tests.support.edits import assert_edits_are_conditional, assert_one_of_many_edits_wins
from tests.support.resource import Resource


async def test_edits_are_conditional(clients: Resource) -> None:
    await assert_edits_are_conditional(clients)


async def test_one_of_many_edits_wins(clients: Resource) -> None:
    await assert_one_of_many_edits_wins(clients)
