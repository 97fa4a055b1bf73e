"""The checker of histories finds what must not happen."""

from tests.support.history import History, Operation, Outcome


def write(began: float, ended: float, version: int, outcome: Outcome = "done") -> Operation:
    return Operation("write", "k", began, ended, outcome, version)


def read(began: float, ended: float, version: int) -> Operation:
    return Operation("read", "k", began, ended, "done", version)


def test_a_read_may_be_old_while_the_write_is_under_way() -> None:
    history = History([write(1, 5, 2), read(2, 3, 1), read(2, 3, 2), read(4.9, 6, 1)])
    assert history.stale() == []
    assert history.invented() == []


def test_a_read_after_the_acknowledgement_must_show_it() -> None:
    old = read(5.1, 6, 1)
    assert History([write(1, 5, 2), old]).stale() == [old]
    assert History([write(1, 5, 2), old]).stale(tolerance=2) == []
    assert History([write(1, 5, 2), read(8, 9, 1)]).stale(tolerance=2)


def test_an_unknown_write_may_show_or_not() -> None:
    history = History([write(1, 2, 0, "unknown"), read(3, 4, 1), read(5, 6, 2)])
    assert history.stale() == []
    assert history.invented() == []


def test_what_nobody_wrote_must_not_show() -> None:
    assert History([write(1, 2, 0, "refused"), read(3, 4, 2)]).invented()
    assert History([write(5, 6, 2), read(1, 2, 2)]).invented()


def test_the_end_must_have_every_acknowledged_write_once() -> None:
    history = History([write(1, 2, 2), write(3, 4, 3), write(5, 6, 0, "refused")])
    assert history.lost({"k": 2}) == ["k"]
    assert history.lost({"k": 3}) == []
    assert history.surplus({"k": 3}) == []
    assert history.surplus({"k": 4}) == ["k"]
