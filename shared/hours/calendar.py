"""Which hours govern which local date."""

from collections.abc import Sequence
from datetime import date, timedelta

import msgspec

from shared.hours.model import Day, DayInterval, ExceptionDays, Interval, Reason, Schedule, State
from shared.hours.times import END_OF_DAY, MIDNIGHT, minutes

_DAY = timedelta(days=1)
_DAYS = tuple(Day)


class _Hours(msgspec.Struct, frozen=True, eq=False):
    """The intervals that start on the dates they govern; each exception has one, and each day of the week."""

    intervals: Sequence[Interval | DayInterval]
    reason: Reason


class Calendar:
    """The dates of a schedule; keeps what it worked out, for questions about many of them."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._hours: dict[int, _Hours] = {}
        self._turns: dict[tuple[_Hours, _Hours], list[tuple[int, State]]] = {}

    def state(self, day: date, time: str) -> tuple[State, Reason]:
        """Return what the hours say when clocks show this date and time, and what decided about it."""
        return _state(self._governing(day), self._governing(day - _DAY), time)

    def turns(self, day: date) -> list[tuple[int, State]]:
        """Return the minutes of a date at which the state may become another, in order, and to which."""
        today, yesterday = self._governing(day), self._governing(day - _DAY)
        turns = self._turns.get((today, yesterday))
        if turns is None:
            turns = [(minutes(time), _state(today, yesterday, time)[0]) for time in _times(today, yesterday)]
            self._turns[today, yesterday] = turns
        return turns

    def _governing(self, day: date) -> _Hours:
        for layer in self._schedule.exceptions:
            for exception in layer:
                if exception.first <= day <= exception.last:
                    return self._exceptional(exception)
        return self._regular(day.weekday())

    def _exceptional(self, exception: ExceptionDays) -> _Hours:
        hours = self._hours.get(id(exception))
        if hours is None:
            hours = self._hours[id(exception)] = _Hours(exception.intervals, Reason.EXCEPTION)
        return hours

    def _regular(self, weekday: int) -> _Hours:
        hours = self._hours.get(weekday)
        if hours is None:
            hours = self._hours[weekday] = _regular_hours(self._schedule.week, _DAYS[weekday])
        return hours


def _regular_hours(week: Sequence[DayInterval] | None, day: Day) -> _Hours:
    if week is None:
        return _Hours((), Reason.NO_SCHEDULE)
    return _Hours([interval for interval in week if interval.day is day], Reason.REGULAR_HOURS)


def _state(today: _Hours, yesterday: _Hours, time: str) -> tuple[State, Reason]:
    for each in today.intervals:
        if each.opens <= time and (time < each.closes or each.closes < each.opens):
            return State.OPEN, today.reason
    if today is yesterday or today.reason is not Reason.EXCEPTION:  # else its midnight cuts the night
        for each in yesterday.intervals:
            if time < each.closes < each.opens:
                return State.OPEN, yesterday.reason
    return State.UNKNOWN if today.reason is Reason.NO_SCHEDULE else State.CLOSED, today.reason


def _times(today: _Hours, yesterday: _Hours) -> list[str]:
    """Return the times of a day at which it or an interval begins or ends, in order."""
    times = {MIDNIGHT}
    for interval in today.intervals:
        times |= {interval.opens, interval.closes}
    times |= {interval.closes for interval in yesterday.intervals}
    return sorted(times - {END_OF_DAY})
