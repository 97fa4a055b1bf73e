"""What `shared.hours` answers, against an oracle that counts minutes.

More cases: `./taskw test -- tests/unit/hours --hypothesis-profile=deep`.
"""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.hours.evaluation import evaluate, is_open
from shared.zones import time_zone
from tests.support.schedules import Case, cases

MINUTE = timedelta(minutes=1)
TICK = timedelta(microseconds=1)
WINDOW = timedelta(days=4)

unhurried = settings(deadline=None)


@unhurried
@given(cases(), st.lists(st.integers(-3 * 1440, 3 * 1440), max_size=20))
def test_the_state_is_that_of_the_local_minute(case: Case, minutes: list[int]) -> None:
    schedule, oracle, zone = case.schedule(), case.oracle(), time_zone(case.zone)
    for at in (case.at, *(case.at + number * MINUTE for number in minutes)):
        assert evaluate(schedule, zone, at, pause=case.kept_pause()).state == oracle.state(at)


@unhurried
@given(cases())
def test_the_cheap_answer_is_the_same(case: Case) -> None:
    hours = case._replace(pause=None)
    state = hours.oracle().state(case.at)
    assert is_open(hours.schedule(), time_zone(case.zone), case.at) == (state == "open")


@unhurried
@given(cases())
def test_the_next_change_is_the_first(case: Case) -> None:
    oracle, schedule, zone, pause = case.oracle(), case.schedule(), time_zone(case.zone), case.kept_pause()
    status = evaluate(schedule, zone, case.at, pause=pause)
    change = status.next_change_at
    end = case.at + WINDOW if change is None else min(change - TICK, case.at + WINDOW)
    assert {oracle.state(instant) for instant in (*each_minute(case.at, end), end)} == {status.state}
    if change is not None:
        assert change > case.at
        assert oracle.state(change) != status.state == oracle.state(change - TICK)
        assert evaluate(schedule, zone, change, pause=pause).state == oracle.state(change)


def each_minute(start: datetime, end: datetime) -> list[datetime]:
    """Return `start` and each whole minute until `end`."""
    first = start.astimezone(UTC).replace(second=0, microsecond=0) + MINUTE
    return [start, *(first + number * MINUTE for number in range((end - first) // MINUTE + 1))]
