"""Opening hours in the vocabulary of schema.org, to be put into pages as JSON-LD.

Follows https://schema.org/OpeningHoursSpecification and what search engines read of it
(https://developers.google.com/search/docs/appearance/structured-data/local-business): a `closes` before
`opens` is on the next day, all day is 00:00 to 23:59, closed all day is 00:00 to 00:00; 24:00 is not known.
A day that is left out may be closed or unknown to a reader, so closed ones are told. `validThrough` is the
last day (https://schema.org/validThrough: the date after which it is not valid).
The vocabulary cannot say that an exception cuts the night of the day before.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType, field

from shared.hours.model import Day, DayInterval, ExceptionDays, Interval, Schedule
from shared.hours.times import END_OF_DAY, MIDNIGHT

_DAY = timedelta(days=1)
_ALL_DAY = (MIDNIGHT, "23:59")
_CLOSED = (MIDNIGHT, MIDNIGHT)

_Times = tuple[str, str]
_Days = tuple[date, date]


class OpeningHoursSpecification(
    msgspec.Struct, kw_only=True, frozen=True, rename="camel", tag_field="@type", tag=True
):
    """Hours of some days of the week, or of each date from one to another."""

    opens: str
    closes: str
    day_of_week: tuple[str, ...] | UnsetType = UNSET
    valid_from: date | UnsetType = UNSET
    valid_through: date | UnsetType = UNSET
    name: str | UnsetType = UNSET


_Specifications = tuple[OpeningHoursSpecification, ...]


class Place(msgspec.Struct, kw_only=True, frozen=True, rename="camel", tag_field="@type", tag=True):
    """A place with its regular hours, absent when there are none, and those that replace them."""

    context: Literal["https://schema.org"] = field(name="@context", default="https://schema.org")
    opening_hours_specification: _Specifications | UnsetType = UNSET
    special_opening_hours_specification: _Specifications | UnsetType = UNSET


def place(schedule: Schedule) -> Place:
    """Return a schedule as a place of schema.org; a date that two layers have is told once, as it holds."""
    return Place(
        opening_hours_specification=UNSET if schedule.week is None else tuple(_regular(schedule.week)),
        special_opening_hours_specification=tuple(_exceptional(schedule.exceptions)) or UNSET,
    )


def _regular(week: Sequence[DayInterval]) -> Iterator[OpeningHoursSpecification]:
    """Yield the hours of a week, days with the same times together; days without any are closed."""
    days: dict[_Times, list[str]] = {}
    for interval in sorted(week, key=_position):
        days.setdefault(_times(interval), []).append(_name(interval.day))
    closed = [_name(day) for day in Day if day not in {interval.day for interval in week}]
    if closed:
        days[_CLOSED] = closed
    for (opens, closes), names in days.items():
        yield OpeningHoursSpecification(opens=opens, closes=closes, day_of_week=tuple(names))


def _exceptional(layers: Sequence[Sequence[ExceptionDays]]) -> Iterator[OpeningHoursSpecification]:
    taken = list[_Days]()
    for layer in layers:
        for exception in sorted(layer, key=_first):
            for days in _left((exception.first, exception.last), taken):
                yield from _special(exception, days)
        taken += [(exception.first, exception.last) for exception in layer]


def _special(exception: ExceptionDays, days: _Days) -> Iterator[OpeningHoursSpecification]:
    for opens, closes in [_times(each) for each in exception.intervals] or [_CLOSED]:
        yield OpeningHoursSpecification(
            opens=opens,
            closes=closes,
            valid_from=days[0],
            valid_through=days[1],
            name=exception.title or UNSET,
        )


def _left(days: _Days, taken: Sequence[_Days]) -> list[_Days]:
    """Return the stretches of `days` that none of `taken` has, in order."""
    (start, last), left = days, list[_Days]()
    for taken_from, taken_to in sorted(taken):
        if start < taken_from <= last:
            left.append((start, taken_from - _DAY))
        if taken_from <= last:
            start = max(start, taken_to + _DAY)
    return [*left, (start, last)] if start <= last else left


def _times(interval: Interval | DayInterval) -> _Times:
    if interval.closes != END_OF_DAY:
        return interval.opens, interval.closes
    return _ALL_DAY if interval.opens == MIDNIGHT else (interval.opens, MIDNIGHT)


def _position(interval: DayInterval) -> tuple[int, str]:
    return list(Day).index(interval.day), interval.opens


def _first(exception: ExceptionDays) -> date:
    return exception.first


def _name(day: Day) -> str:
    return f"https://schema.org/{day.capitalize()}"
