"""Idempotency keys of stores."""

from tests.support.idempotency import (
    assert_a_refusal_leaves_the_key_free,
    assert_a_repetition_is_replayed,
    assert_only_keys_are_accepted,
    assert_rights_are_looked_at_again,
    assert_twins_create_one,
)
from tests.support.resource import Resource


async def test_a_repetition_is_replayed(stores: Resource) -> None:
    await assert_a_repetition_is_replayed(stores)


async def test_a_refusal_leaves_the_key_free(stores: Resource) -> None:
    await assert_a_refusal_leaves_the_key_free(stores)


async def test_rights_are_looked_at_again(stores: Resource) -> None:
    await assert_rights_are_looked_at_again(stores)


async def test_twins_create_one(stores: Resource) -> None:
    await assert_twins_create_one(stores)


async def test_only_keys_are_accepted(stores: Resource) -> None:
    await assert_only_keys_are_accepted(stores)
