from datetime import UTC, date, datetime, timedelta

import pytest

from shared.errors import FieldError
from shared.hours.evaluation import evaluate
from shared.hours.model import Day, DayInterval, ExceptionDays, Interval, Pause, Schedule
from shared.hours.validation import exception_problems, instant_problems, week_problems
from shared.zones import time_zone

CHRISTMAS = date(2026, 12, 25)


def week(*texts: str) -> list[DayInterval]:
    """Read "monday 09:00-17:00" and the like."""
    return [DayInterval(Day(day), times[:5], times[6:]) for day, times in map(str.split, texts)]


def days(*times: str, last: date = CHRISTMAS) -> ExceptionDays:
    intervals = tuple(Interval(each[:5], each[6:]) for each in times)
    return ExceptionDays(first=CHRISTMAS, last=last, intervals=intervals)


def fields(problems: list[FieldError]) -> list[str]:
    return [problem.field for problem in problems]


@pytest.mark.parametrize(
    "hours",
    [
        week(),
        week("monday 09:00-12:00", "monday 13:00-17:00"),
        week("monday 13:00-17:00", "monday 09:00-12:00"),
        week("monday 09:00-12:00", "monday 12:00-17:00"),
        week("monday 00:00-24:00", "tuesday 00:00-24:00"),
        week("monday 22:00-02:00", "tuesday 02:00-03:00"),
        week("monday 22:00-00:00", "tuesday 00:00-03:00"),
        week("sunday 22:00-02:00", "monday 02:00-03:00"),
        week("monday 10:00-09:59", "tuesday 10:00-09:59"),
        week(*[f"{day} 09:00-17:00" for day in Day]),
        week(*[f"monday {hour:02}:00-{hour:02}:30" for hour in range(10)]),
    ],
)
def test_a_week_without_overlaps_is_fine(hours: list[DayInterval]) -> None:
    assert week_problems(hours) == []


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (week("monday 09:00-09:00"), ["hours[0].closes"]),
        (week("monday 00:00-00:00"), ["hours[0].closes"]),
        (week("monday 09:00-13:00", "monday 12:59-17:00"), ["hours[1].opens"]),
        (week("monday 12:59-17:00", "monday 09:00-13:00"), ["hours[1].closes"]),
        (week("monday 09:00-17:00", "monday 09:00-17:00"), ["hours[1].opens"]),
        (week("monday 09:00-17:00", "monday 10:00-11:00"), ["hours[1].opens"]),
        (week("monday 10:00-11:00", "monday 09:00-17:00"), ["hours[1].closes"]),
        (week("monday 22:00-02:00", "tuesday 01:59-03:00"), ["hours[1].opens"]),
        (week("tuesday 01:59-03:00", "monday 22:00-02:00"), ["hours[1].closes"]),
        (week("sunday 22:00-02:00", "monday 01:59-03:00"), ["hours[1].opens"]),
        (week("monday 01:59-03:00", "sunday 22:00-02:00"), ["hours[1].closes"]),
        (week("monday 00:00-24:00", "monday 23:59-24:00"), ["hours[1].opens"]),
        (
            week("monday 09:00-12:00", "monday 14:00-17:00", "monday 11:00-15:00", "friday 08:00-08:00"),
            ["hours[2].opens", "hours[2].closes", "hours[3].closes"],
        ),
    ],
)
def test_each_time_that_does_not_fit_is_named(hours: list[DayInterval], expected: list[str]) -> None:
    assert fields(week_problems(hours)) == expected


def test_the_eleventh_interval_of_a_day_is_named() -> None:
    hours = week(*[f"monday {hour:02}:00-{hour:02}:30" for hour in range(12)], "tuesday 09:00-17:00")
    assert fields(week_problems(hours)) == ["hours[10].day", "hours[11].day"]


@pytest.mark.parametrize(
    "exception",
    [
        days(),
        days("10:00-15:00"),
        days("22:00-02:00", "01:00-01:30"),
        days("22:00-02:00", "02:00-03:00", last=CHRISTMAS + timedelta(days=1)),
        days("00:00-24:00", last=CHRISTMAS + timedelta(days=365)),
    ],
)
def test_exception_days_may_meet_the_regular_ones(exception: ExceptionDays) -> None:
    assert exception_problems(exception) == []


@pytest.mark.parametrize(
    ("exception", "expected"),
    [
        (days(last=CHRISTMAS - timedelta(days=1)), ["to"]),
        (days(last=CHRISTMAS + timedelta(days=366)), ["to"]),
        (days("10:00-10:00"), ["intervals[0].closes"]),
        (days("10:00-15:00", "14:00-16:00"), ["intervals[1].opens"]),
        (days("22:00-02:00", "01:00-01:30", last=CHRISTMAS + timedelta(days=1)), ["intervals[1].opens"]),
        (days("01:00-01:30", "22:00-02:00", last=CHRISTMAS + timedelta(days=1)), ["intervals[1].closes"]),
        (days(*[f"{hour:02}:00-{hour:02}:30" for hour in range(11)]), ["intervals[10]"]),
    ],
)
def test_each_field_of_exception_days_that_does_not_fit_is_named(
    exception: ExceptionDays, expected: list[str]
) -> None:
    assert fields(exception_problems(exception)) == expected


@pytest.mark.parametrize("year", [1900, 2026, 8999])
def test_instants_that_hours_are_evaluated_at(year: int) -> None:
    at = datetime(year, 1, 1, tzinfo=UTC)
    assert instant_problems("at", at) == []
    evaluate(Schedule(()), time_zone("Pacific/Kiritimati"), at, pause=Pause(at, at + timedelta(days=1)))


@pytest.mark.parametrize("year", [1, 1899, 9001, 9999])
def test_instants_at_the_ends_of_the_calendar_are_refused(year: int) -> None:
    assert fields(instant_problems("at", datetime(year, 12, 31, tzinfo=UTC))) == ["at"]
