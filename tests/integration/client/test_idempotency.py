"""Idempotency keys of clients."""

from tests.support.idempotency import (
    assert_a_refusal_leaves_the_key_free,
    assert_a_repetition_is_replayed,
    assert_only_keys_are_accepted,
    assert_rights_are_looked_at_again,
    assert_twins_create_one,
)
from tests.support.resource import Resource


async def test_a_repetition_is_replayed(clients: Resource) -> None:
    await assert_a_repetition_is_replayed(clients)


async def test_a_refusal_leaves_the_key_free(clients: Resource) -> None:
    await assert_a_refusal_leaves_the_key_free(clients)


async def test_rights_are_looked_at_again(clients: Resource) -> None:
    await assert_rights_are_looked_at_again(clients)


async def test_twins_create_one(clients: Resource) -> None:
    await assert_twins_create_one(clients)


async def test_only_keys_are_accepted(clients: Resource) -> None:
    await assert_only_keys_are_accepted(clients)
