"""Edits of stores cannot overwrite one another."""

from tests.support.edits import assert_edits_are_conditional, assert_one_of_many_edits_wins
from tests.support.resource import Resource


async def test_edits_are_conditional(stores: Resource) -> None:
    await assert_edits_are_conditional(stores)


async def test_one_of_many_edits_wins(stores: Resource) -> None:
    await assert_one_of_many_edits_wins(stores)
