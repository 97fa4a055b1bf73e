"""What must hold between the times of a week or of exception days; formats are the model's business."""

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from shared.errors import FieldError
from shared.hours.model import (
    MOST_EXCEPTION_DAYS,
    MOST_INTERVALS_A_DAY,
    Day,
    DayInterval,
    ExceptionDays,
    Interval,
)
from shared.hours.times import minutes

_DAY = 24 * 60
_WEEK = 7 * _DAY
_DAYS = {day: number for number, day in enumerate(Day)}
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
_LATEST = datetime(9000, 1, 1, tzinfo=UTC)


class _Stretch(NamedTuple):
    """An interval in minutes, on a circle of days, and what it is called in the request."""

    name: str
    start: int
    length: int

    def reaches(self, other: "_Stretch", circle: int) -> bool:
        """Tell whether `other` begins within this stretch."""
        return (other.start - self.start) % circle < self.length


def week_problems(hours: Sequence[DayInterval]) -> list[FieldError]:
    """Return what is wrong with the field `hours` of a week, empty when nothing is.

    Sunday's night runs into Monday.
    """
    names = [f"hours[{index}]" for index in range(len(hours))]
    stretches = [
        _stretch(name, interval, _DAYS[interval.day]) for name, interval in zip(names, hours, strict=True)
    ]
    return [
        *_too_many([f"{name}.day" for name in names], [interval.day for interval in hours]),
        *_time_problems(stretches, _WEEK),
    ]


def exception_problems(days: ExceptionDays) -> list[FieldError]:
    """Return what is wrong with the fields of exception days, empty when nothing is.

    A night runs into the next of the days that are covered. Whether another exception has one of them
    is not decided here.
    """
    names = [f"intervals[{index}]" for index in range(len(days.intervals))]
    stretches = [_stretch(name, interval) for name, interval in zip(names, days.intervals, strict=True)]
    circle = _DAY if days.last > days.first else _WEEK  # a single day's night meets no day of its own kind
    return [
        *_date_problems(days),
        *_too_many(names, [days.first for _ in names]),
        *_time_problems(stretches, circle),
    ]


def instant_problems(field: str, instant: datetime) -> list[FieldError]:
    """Return what is wrong with an instant at which hours are evaluated or a pause ends.

    Local dates around it must be in the calendar (`datetime.MAXYEAR`).
    """
    if _EARLIEST <= instant <= _LATEST:
        return []
    return [FieldError(field, f"must be between the years {_EARLIEST.year} and {_LATEST.year}")]


def _date_problems(days: ExceptionDays) -> Iterator[FieldError]:
    if days.last < days.first:
        yield FieldError("to", "must not be before from")
    if (days.last - days.first).days >= MOST_EXCEPTION_DAYS:
        yield FieldError("to", f"must leave at most {MOST_EXCEPTION_DAYS} days, from and to included")


def _too_many(fields: Sequence[str], days: Sequence[Hashable]) -> Iterator[FieldError]:
    count: Counter[Hashable] = Counter()
    for field, day in zip(fields, days, strict=True):
        count[day] += 1
        if count[day] > MOST_INTERVALS_A_DAY:
            yield FieldError(field, f"is one too many: a day has at most {MOST_INTERVALS_A_DAY} intervals")


def _time_problems(stretches: Sequence[_Stretch], circle: int) -> Iterator[FieldError]:
    for index, stretch in enumerate(stretches):
        if not stretch.length:
            yield FieldError(f"{stretch.name}.closes", "must differ from opens; all day is 00:00 to 24:00")
        else:
            yield from _overlaps(stretch, stretches[:index], circle)


def _overlaps(stretch: _Stretch, earlier: Sequence[_Stretch], circle: int) -> Iterator[FieldError]:
    """Yield which end of a stretch is in one that was given before, naming the first of those."""
    around = next((other for other in earlier if other.reaches(stretch, circle)), None)
    if around:
        yield FieldError(f"{stretch.name}.opens", f"must not be within {around.name}")
    within = (other for other in earlier if other.length and stretch.reaches(other, circle))
    next_one = next((other for other in within if other is not around), None)
    if next_one:
        yield FieldError(f"{stretch.name}.closes", f"must not be after {next_one.name} opens")


def _stretch(name: str, interval: Interval | DayInterval, day: int = 0) -> _Stretch:
    opens, closes = minutes(interval.opens), minutes(interval.closes)
    length = closes - opens if closes >= opens else closes - opens + _DAY
    return _Stretch(name, day * _DAY + opens, length)
