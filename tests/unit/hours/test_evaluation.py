from datetime import UTC, date, datetime, timedelta

import pytest

from shared.hours.evaluation import evaluate, is_open
from shared.hours.model import (
    Day,
    DayInterval,
    ExceptionDays,
    Interval,
    Pause,
    Reason,
    Schedule,
    State,
    Status,
)
from shared.zones import time_zone

JAKARTA = time_zone("Asia/Jakarta")
NEW_YORK = time_zone("America/New_York")


def week(*texts: str) -> tuple[DayInterval, ...]:
    """Read "monday 09:00-17:00" and the like; "daily" is every day."""
    parts = [text.split() for text in texts]
    return tuple(
        DayInterval(day, times[:5], times[6:])
        for name, times in parts
        for day in Day
        if name in {day, "daily"}
    )


def exception(first: str, last: str, *times: str) -> ExceptionDays:
    intervals = tuple(Interval(each[:5], each[6:]) for each in times)
    return ExceptionDays(first=date.fromisoformat(first), last=date.fromisoformat(last), intervals=intervals)


def local(text: str, zone: str = "Asia/Jakarta", fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=time_zone(zone), fold=fold)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def status(
    schedule: Schedule, at: datetime, zone: str = "Asia/Jakarta", pause: Pause | None = None
) -> Status:
    return evaluate(schedule, time_zone(zone), at, pause=pause)


# 2026-11-23 is a Monday.
OFFICE = Schedule(week("monday 09:00-12:00", "monday 13:00-17:00", "tuesday 09:00-17:00"))


@pytest.mark.parametrize(
    ("at", "state", "change"),
    [
        ("2026-11-23 08:59:59.999999", State.CLOSED, "2026-11-23 09:00"),
        ("2026-11-23 09:00", State.OPEN, "2026-11-23 12:00"),
        ("2026-11-23 11:59:59.999999", State.OPEN, "2026-11-23 12:00"),
        ("2026-11-23 12:00", State.CLOSED, "2026-11-23 13:00"),
        ("2026-11-23 17:00", State.CLOSED, "2026-11-24 09:00"),
        ("2026-11-24 17:00", State.CLOSED, "2026-11-30 09:00"),
    ],
)
def test_intervals_end_just_before_they_close(at: str, state: State, change: str) -> None:
    expected = Status(state, Reason.REGULAR_HOURS, local(change))
    assert status(OFFICE, local(at)) == expected
    assert is_open(OFFICE, JAKARTA, local(at)) == (state is State.OPEN)


@pytest.mark.parametrize(
    ("hours", "at", "state", "change"),
    [
        ("saturday 22:00-02:00", "2026-11-29 01:59", State.OPEN, "2026-11-29 02:00"),
        ("sunday 22:00-02:00", "2026-11-30 01:59", State.OPEN, "2026-11-30 02:00"),
        ("sunday 22:00-02:00", "2026-11-29 01:59", State.CLOSED, "2026-11-29 22:00"),
        ("monday 22:00-00:00", "2026-11-23 23:59", State.OPEN, "2026-11-24 00:00"),
        ("monday 22:00-24:00", "2026-11-23 23:59", State.OPEN, "2026-11-24 00:00"),
        ("monday 10:00-09:59", "2026-11-24 09:58", State.OPEN, "2026-11-24 09:59"),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_starts(
    hours: str, at: str, state: State, change: str
) -> None:
    assert status(Schedule(week(hours)), local(at)) == Status(state, Reason.REGULAR_HOURS, local(change))


def test_days_that_follow_one_another_are_one_stretch() -> None:
    hours = Schedule(week("monday 08:00-24:00", "tuesday 00:00-24:00", "wednesday 00:00-02:00"))
    assert status(hours, local("2026-11-23 08:00")).next_change_at == local("2026-11-25 02:00")


def test_always_open_never_changes() -> None:
    always = Schedule(week("daily 00:00-24:00"))
    assert status(always, local("2026-11-23 08:00")) == Status(State.OPEN, Reason.REGULAR_HOURS, None)


def test_no_hours_are_unknown_and_an_empty_week_is_closed() -> None:
    at = local("2026-11-23 08:00")
    assert status(Schedule(None), at) == Status(State.UNKNOWN, Reason.NO_SCHEDULE, None)
    assert status(Schedule(()), at) == Status(State.CLOSED, Reason.REGULAR_HOURS, None)
    assert not is_open(Schedule(None), JAKARTA, at)


# Exceptions


NIGHTS = Schedule(week("daily 18:00-02:00"))


@pytest.mark.parametrize(
    ("layers", "at", "expected"),
    [
        # Closed on Monday: Sunday's night ends at midnight, Tuesday's evening is the next.
        (
            [[exception("2026-11-23", "2026-11-23")]],
            "2026-11-22 23:00",
            (State.OPEN, Reason.REGULAR_HOURS, "2026-11-23 00:00"),
        ),
        (
            [[exception("2026-11-23", "2026-11-23")]],
            "2026-11-23 00:00",
            (State.CLOSED, Reason.EXCEPTION, "2026-11-24 18:00"),
        ),
        # The exception's own night runs on into a regular day,
        (
            [[exception("2026-11-23", "2026-11-23", "20:00-04:00")]],
            "2026-11-24 03:00",
            (State.OPEN, Reason.EXCEPTION, "2026-11-24 04:00"),
        ),
        # and into its own next day,
        (
            [[exception("2026-11-23", "2026-11-24", "20:00-04:00")]],
            "2026-11-24 03:00",
            (State.OPEN, Reason.EXCEPTION, "2026-11-24 04:00"),
        ),
        # but not into another exception's.
        (
            [[exception("2026-11-23", "2026-11-23", "20:00-04:00"), exception("2026-11-24", "2026-11-24")]],
            "2026-11-23 20:00",
            (State.OPEN, Reason.EXCEPTION, "2026-11-24 00:00"),
        ),
        # The first layer wins for its dates only, and cuts the other's night.
        (
            [[exception("2026-11-24", "2026-11-24")], [exception("2026-11-23", "2026-11-25", "20:00-04:00")]],
            "2026-11-23 20:00",
            (State.OPEN, Reason.EXCEPTION, "2026-11-24 00:00"),
        ),
        (
            [[exception("2026-11-24", "2026-11-24")], [exception("2026-11-23", "2026-11-25", "20:00-04:00")]],
            "2026-11-24 00:00",
            (State.CLOSED, Reason.EXCEPTION, "2026-11-25 20:00"),
        ),
    ],
)
def test_exceptions_replace_the_days_they_cover(
    layers: list[list[ExceptionDays]], at: str, expected: tuple[State, Reason, str]
) -> None:
    schedule = Schedule(NIGHTS.week, tuple(map(tuple, layers)))
    state, reason, change = expected
    assert status(schedule, local(at)) == Status(state, reason, local(change))


def test_exceptions_are_known_where_no_week_is() -> None:
    schedule = Schedule(None, ((exception("2026-11-24", "2026-11-24", "10:00-15:00"),),))
    expected = [
        ("2026-11-23 12:00", State.UNKNOWN, "2026-11-24 00:00"),
        ("2026-11-24 00:00", State.CLOSED, "2026-11-24 10:00"),
        ("2026-11-24 10:00", State.OPEN, "2026-11-24 15:00"),
        ("2026-11-24 15:00", State.CLOSED, "2026-11-25 00:00"),
    ]
    for at, state, change in expected:
        found = status(schedule, local(at))
        assert (found.state, found.next_change_at) == (state, local(change))


def test_a_change_is_looked_for_up_to_400_days_ahead() -> None:
    schedule = Schedule((), ((exception("2027-12-28", "2027-12-28", "08:00-09:00"),),))
    opening = local("2027-12-28 08:00")
    assert status(schedule, opening - timedelta(days=400)).next_change_at == opening
    assert status(schedule, opening - timedelta(days=400, microseconds=1)).next_change_at is None


# Pauses and inactive owners


def test_a_pause_closes_until_it_ends() -> None:
    pause = Pause(local("2026-11-23 10:00:30"), local("2026-11-23 11:00:15.5"))
    assert status(OFFICE, local("2026-11-23 09:30"), pause=pause) == Status(
        State.OPEN, Reason.REGULAR_HOURS, pause.since
    )
    assert status(OFFICE, pause.since, pause=pause) == Status(State.CLOSED, Reason.PAUSE, pause.until)
    assert status(OFFICE, pause.until, pause=pause) == Status(
        State.OPEN, Reason.REGULAR_HOURS, local("2026-11-23 12:00")
    )


def test_a_pause_may_end_when_it_is_closed_anyway() -> None:
    pause = Pause(local("2026-11-23 10:00"), local("2026-11-23 12:30"))
    assert status(OFFICE, pause.since, pause=pause) == Status(
        State.CLOSED, Reason.PAUSE, local("2026-11-23 13:00")
    )
    before = status(OFFICE, local("2026-11-23 08:00"), pause=Pause(local("2026-11-23 08:30"), pause.until))
    assert before == Status(State.CLOSED, Reason.REGULAR_HOURS, local("2026-11-23 13:00"))


def test_what_comes_after_a_pause_may_be_unknown() -> None:
    pause = Pause(local("2026-11-23 10:00"), local("2026-11-23 12:30"))
    assert status(Schedule(None), pause.since, pause=pause) == Status(State.CLOSED, Reason.PAUSE, pause.until)


def test_a_pause_that_outlasts_the_search_has_no_end_in_sight() -> None:
    pause = Pause(local("2026-11-23 10:00"), local("2029-01-01 00:00"))
    assert status(OFFICE, pause.since, pause=pause).next_change_at is None
    assert status(OFFICE, local("2020-01-06 09:00"), pause=pause).next_change_at == local("2020-01-06 12:00")


def test_what_is_inactive_is_closed_without_an_end() -> None:
    at = local("2026-11-23 10:00")
    found = evaluate(OFFICE, JAKARTA, at, pause=Pause(at, at + timedelta(hours=1)), is_active=False)
    assert found == Status(State.CLOSED, Reason.INACTIVE, None)


# Clocks that are changed


def test_hours_that_do_not_exist_are_never_met() -> None:
    hours = Schedule(week("sunday 02:15-02:45"))
    # On 2026-03-08 clocks go from 02:00 to 03:00 in New York.
    found = status(hours, local("2026-03-08 01:00", "America/New_York"), "America/New_York")
    assert found.next_change_at == local("2026-03-15 02:15", "America/New_York")


def test_hours_around_a_gap_begin_and_end_where_it_does() -> None:
    opening = Schedule(week("sunday 02:30-05:00"))
    closing = Schedule(week("sunday 01:00-02:30"))
    gap, before = utc("2026-03-08 07:00"), utc("2026-03-08 06:30")
    assert status(opening, before, "America/New_York") == Status(State.CLOSED, Reason.REGULAR_HOURS, gap)
    assert status(closing, before, "America/New_York") == Status(State.OPEN, Reason.REGULAR_HOURS, gap)


def test_hours_that_exist_twice_are_open_twice() -> None:
    hours = Schedule(week("sunday 01:15-01:45"))
    # On 2026-11-01 clocks go from 02:00 back to 01:00 in New York.
    changes, at = list[datetime](), utc("2026-11-01 04:00")
    for _ in range(4):
        change = status(hours, at, "America/New_York").next_change_at
        assert change
        changes.append(at := change)
    assert changes == [
        utc("2026-11-01 05:15"),
        utc("2026-11-01 05:45"),
        utc("2026-11-01 06:15"),
        utc("2026-11-01 06:45"),
    ]


def test_clocks_may_go_back_into_the_day_before() -> None:
    # On 2018-02-18 clocks went from midnight back to Saturday, 23:00, in Sao Paulo.
    hours = Schedule(week("saturday 23:00-24:00"))
    found = status(hours, utc("2018-02-18 01:00"), "America/Sao_Paulo")
    assert found == Status(State.OPEN, Reason.REGULAR_HOURS, utc("2018-02-18 03:00"))


@pytest.mark.parametrize(
    ("zone", "opening", "expected"),
    [
        ("Asia/Kathmandu", "2026-11-23 09:00", "2026-11-23 03:15"),
        ("Australia/Lord_Howe", "2026-07-01 09:00", "2026-06-30 22:30"),
        ("Australia/Lord_Howe", "2026-12-01 09:00", "2026-11-30 22:00"),
        ("Pacific/Chatham", "2026-12-01 09:00", "2026-11-30 19:15"),
        ("America/St_Johns", "2026-12-01 09:00", "2026-12-01 12:30"),
        ("Antarctica/Troll", "2026-07-01 09:00", "2026-07-01 07:00"),
        ("Africa/Monrovia", "1971-07-01 09:00", "1971-07-01 09:44:30"),
    ],
)
def test_odd_offsets(zone: str, opening: str, expected: str) -> None:
    before = utc(expected) - timedelta(hours=3)
    assert status(Schedule(week("daily 09:00-17:00")), before, zone).next_change_at == utc(expected)
    assert local(opening, zone) == utc(expected)


def test_half_an_hour_that_is_skipped_or_repeated() -> None:
    # In Lord Howe clocks went from 02:00 to 02:30 on 2026-10-04; they go back to 01:30 on 2027-04-04.
    hours = Schedule(week("sunday 01:45-02:15"))
    skipped = status(hours, utc("2026-10-03 15:15"), "Australia/Lord_Howe")
    assert skipped == Status(State.OPEN, Reason.REGULAR_HOURS, utc("2026-10-03 15:30"))
    repeated = status(hours, utc("2027-04-03 14:45"), "Australia/Lord_Howe")
    assert repeated == Status(State.OPEN, Reason.REGULAR_HOURS, utc("2027-04-03 15:00"))
    again = status(hours, utc("2027-04-03 15:00"), "Australia/Lord_Howe")
    assert again == Status(State.CLOSED, Reason.REGULAR_HOURS, utc("2027-04-03 15:15"))


def test_a_date_that_is_skipped_has_no_hours() -> None:
    # In Apia Friday, 30 December 2011, did not take place.
    midnight = utc("2011-12-30 10:00")
    thursday = Schedule(week("thursday 18:00-02:00"))
    friday = Schedule(week("friday 09:00-17:00"))
    assert status(thursday, midnight - timedelta(hours=1), "Pacific/Apia") == Status(
        State.OPEN, Reason.REGULAR_HOURS, midnight
    )
    assert status(friday, midnight - timedelta(hours=1), "Pacific/Apia").next_change_at == local(
        "2012-01-06 09:00", "Pacific/Apia"
    )
    exceptional = Schedule(week("daily 00:00-24:00"), ((exception("2011-12-30", "2011-12-30"),),))
    assert status(exceptional, midnight - timedelta(hours=1), "Pacific/Apia").next_change_at is None


def test_any_offset_may_ask() -> None:
    at = local("2026-11-23 10:00")
    assert status(OFFICE, at) == status(OFFICE, at.astimezone(UTC)) == status(OFFICE, at.astimezone(NEW_YORK))
