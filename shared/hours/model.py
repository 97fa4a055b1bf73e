"""Opening hours as they are told and kept."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from shared.text import EndTime, ShortText, Time, TimeZone

MOST_INTERVALS_A_DAY = 10
MOST_EXCEPTION_DAYS = 366
_LONGEST_LIST = 7 * MOST_INTERVALS_A_DAY


class Day(StrEnum):
    """A day of the week, in the order of `datetime.date.weekday`."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class Interval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From one local time until just before another; a `closes` before `opens` is on the next day."""

    opens: Time
    closes: EndTime


class DayInterval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An interval that starts on one day of every week."""

    day: Day
    opens: Time
    closes: EndTime


Intervals = Annotated[
    tuple[Interval, ...],
    Meta(
        max_length=_LONGEST_LIST,
        description="Empty: closed.",
        examples=[[{"opens": "10:00", "closes": "15:00"}]],
    ),
]
WeekIntervals = Annotated[
    tuple[DayInterval, ...], Meta(max_length=_LONGEST_LIST, description="Empty: closed all week.")
]


class Week(msgspec.Struct, frozen=True):
    """The regular hours of every week, in a time zone."""

    timezone: TimeZone
    hours: WeekIntervals


class ExceptionDays(msgspec.Struct, kw_only=True, frozen=True, rename={"first": "from", "last": "to"}):
    """Hours that replace the regular ones on each local date from the first to the last."""

    first: Annotated[date, Meta(examples=["2026-12-24"])]
    last: Annotated[
        date, Meta(description="The last day, at most 365 days after the first.", examples=["2026-12-26"])
    ]
    intervals: Intervals
    title: Annotated[ShortText, Meta(examples=["Idul Fitri"])] | None = None


class Pause(msgspec.Struct, frozen=True):
    """A closure from one instant until just before another, whatever the hours say."""

    since: datetime
    until: datetime


class Schedule(msgspec.Struct, frozen=True):
    """What decides about being open, apart from the time zone.

    `week` is None when there are no regular hours, which is another thing than being closed all week.
    `exceptions` are in layers: a day is governed by the first layer that has it. Hours with a week of
    their own have one layer, their own; inherited ones have their own before those of the inherited week.
    Each exception is one object, however many dates it covers: by that its own nights are told from others'.
    """

    week: tuple[DayInterval, ...] | None
    exceptions: tuple[tuple[ExceptionDays, ...], ...] = ()


class State(StrEnum):
    """Whether something is open."""

    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """What decided about a state."""

    REGULAR_HOURS = "regular_hours"
    EXCEPTION = "exception"
    PAUSE = "pause"
    INACTIVE = "inactive"
    NO_SCHEDULE = "no_schedule"


class Status(msgspec.Struct, frozen=True):
    """The state at an instant, why, and the next instant at which it is another, if one is in sight."""

    state: State
    reason: Reason
    next_change_at: datetime | None
