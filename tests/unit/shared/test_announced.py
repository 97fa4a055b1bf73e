from datetime import UTC, datetime

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
    announced.note([ours])
    assert announced.others([ours, theirs]) == [theirs]
    assert announced.others([ours, theirs]) == [ours, theirs]


def test_only_the_latest_are_remembered() -> None:
    announced, changes = Announced(), [change() for _ in range(10_001)]
    announced.note(changes)
    assert announced.others(changes) == changes[:1]
