"""Schedules and instants for property tests of opening hours, most of them where clocks are changed."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import strategies as st

from shared.hours.model import ExceptionDays, Pause, Schedule, WeekIntervals
from shared.zones import time_zone
from tests.support.hours_oracle import NAMES, Json, Oracle

ZONES = (
    "Africa/Cairo",  # clocks change at midnight
    "Africa/Casablanca",  # an hour back for each Ramadan
    "Africa/Monrovia",  # 44 minutes and 30 seconds behind until 1972
    "America/Havana",  # back from 01:00 to midnight
    "America/New_York",
    "America/Sao_Paulo",  # back from midnight into the day before
    "America/St_Johns",  # half an hour; clocks changed at 00:01 for years
    "Antarctica/Troll",  # two hours
    "Asia/Jakarta",
    "Asia/Kathmandu",  # 5:45, and a quarter of an hour skipped in 1986
    "Asia/Kolkata",
    "Asia/Tehran",
    "Australia/Lord_Howe",  # half an hour
    "Europe/Dublin",  # winter time is the exception
    "Europe/London",
    "Pacific/Apia",  # no 30 December 2011
    "Pacific/Chatham",  # 12:45
    "Pacific/Kwajalein",  # no 21 August 1993
)
FIRST, LAST = datetime(1970, 1, 3, tzinfo=UTC), datetime(2037, 12, 30, tzinfo=UTC)
NOTABLE_TIMES = (
    *("00:00", "00:01", "00:30", "01:00", "01:30", "01:59", "02:00", "02:15", "02:30", "03:00"),
    *("09:00", "12:00", "17:00", "22:00", "23:00", "23:30", "23:59"),
)


class Case(NamedTuple):
    """A question, in the form of the API."""

    zone: str
    at: datetime
    hours: list[Json] | None
    layers: list[list[Json]]
    pause: tuple[datetime, datetime] | None

    def oracle(self) -> Oracle:
        return Oracle(ZoneInfo(self.zone), self.hours, self.layers, self.pause)

    def schedule(self) -> Schedule:
        layers = msgspec.convert(self.layers, tuple[tuple[ExceptionDays, ...], ...])
        return Schedule(msgspec.convert(self.hours, WeekIntervals | None), layers)

    def kept_pause(self) -> Pause | None:
        return Pause(*self.pause) if self.pause else None


@cache
def changes(zone: str) -> list[datetime]:
    """Return when the clocks of a zone are changed, to the second."""
    place, found, before = ZoneInfo(zone), list[datetime](), FIRST
    while before < LAST:
        after = before + timedelta(days=3)
        if _offset(place, before) != _offset(place, after):
            found.append(_change_between(place, before, after))
        before = after
    return found


def _change_between(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    low, high = int(before.timestamp()), int(after.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        same = _offset(zone, datetime.fromtimestamp(middle, UTC)) == _offset(zone, before)
        low, high = (middle, high) if same else (low, middle)
    return datetime.fromtimestamp(high, UTC)


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta | None:
    return instant.astimezone(zone).utcoffset()


def _time(hour: int, minute: int) -> str:
    return f"{hour:02}:{minute:02}"


def _interval(opens: str, closes: str) -> Json:
    return {"opens": opens, "closes": closes}


def _lasts(interval: Json) -> bool:
    return interval["opens"] != interval["closes"]


def _on(day: str, interval: Json) -> Json:
    return {"day": day, **interval}


def _every_day(intervals: list[Json]) -> list[Json]:
    return [_on(day, interval) for day in NAMES for interval in intervals]


times = st.sampled_from(NOTABLE_TIMES) | st.builds(_time, st.integers(0, 23), st.integers(0, 59))
intervals = st.builds(_interval, times, times | st.just("24:00")).filter(_lasts)
weeks = st.one_of(
    st.none(),
    st.lists(st.builds(_on, st.sampled_from(NAMES), intervals), max_size=10),
    st.lists(intervals, max_size=3).map(_every_day),  # whatever day it is, something may be seen
)


@st.composite
def instants(draw: st.DrawFn, zone: str) -> datetime:
    """Any instant, mostly within three days of changed clocks."""
    near = changes(zone)
    if near and draw(st.integers(0, 4)):
        seconds = draw(st.integers(-3600, 3600) | st.integers(-3 * 86400, 2 * 86400))
        return draw(st.sampled_from(near)) + timedelta(seconds=seconds)
    return FIRST + timedelta(microseconds=draw(st.integers(0, (LAST - FIRST) // timedelta(microseconds=1))))


@st.composite
def layers(draw: st.DrawFn, around: date) -> list[Json]:
    """Exceptions within a few days of a date; no two have a date in common."""
    found, free = list[Json](), around + timedelta(days=draw(st.integers(-4, 2)))
    for _ in range(draw(st.integers(0, 3))):
        first = free + timedelta(days=draw(st.integers(0, 2)))
        last = first + timedelta(days=draw(st.integers(0, 2)))
        own = draw(st.lists(intervals, max_size=3))
        found.append({"from": first.isoformat(), "to": last.isoformat(), "intervals": own})
        free = last + timedelta(days=1)
    return draw(st.permutations(found))


@st.composite
def pauses(draw: st.DrawFn, around: datetime) -> tuple[datetime, datetime]:
    since = around + timedelta(minutes=draw(st.integers(-600, 1200)))
    return since, since + timedelta(seconds=draw(st.integers(1, 3 * 86400)))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    zone = draw(st.sampled_from(ZONES))
    at = draw(instants(zone))
    local = at.astimezone(time_zone(zone)).date()
    own, inherited = draw(layers(local)), draw(layers(local))
    return Case(zone, at, draw(weeks), [own, inherited], draw(st.none() | pauses(at)))
