from datetime import UTC, datetime

import pytest

from shared.events.changes import Announced, Change
from shared.identifiers import new_uuid


def change() -> Change:
    return Change(
        event_id=new_uuid(),
        aggregate_type="store",
        aggregate_id=new_uuid(),
        version=1,
        type="store.created",
        actor="a test",
        occurred_at=datetime.now(UTC),
    )


def test_what_was_announced_is_announced_by_nobody_else_the_first_time() -> None:
    announced, ours, theirs = Announced(), change(), change()
    with announced.surrounding() as announce:
        announce([ours])
    assert announced.others([ours, theirs]) == [theirs]
    assert announced.others([ours, theirs]) == [ours, theirs]


def test_only_the_latest_are_remembered() -> None:
    announced, changes = Announced(), [change() for _ in range(10_001)]
    with announced.surrounding() as announce:
        announce(changes)
    assert announced.others(changes) == changes[:1]


def test_what_fails_is_left_to_others() -> None:
    announced, ours = Announced(), change()
    with pytest.raises(ZeroDivisionError), announced.surrounding() as announce:
        announce([ours])
        raise ZeroDivisionError
    assert announced.others([ours]) == [ours]
