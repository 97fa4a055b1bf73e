"""What is taken and answered about schedules."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from shared.hours.model import DayInterval, ExceptionDays, Intervals, Reason, State, WeekIntervals
from shared.listing import ListQuery
from shared.places import RealTimeZone
from shared.text import ShortText

NO_SOURCE = "none"

Source = Annotated[
    str, Meta(description="Whose week it is: the owner's own kind, that it inherits from, or `none`.")
]
Instant = Annotated[datetime, Meta(tz=True, description="RFC 3339, with its offset from UTC.")]
Until = Annotated[datetime, Meta(tz=True, description="RFC 3339, later than now.")]


class PutWeek(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A whole week, in place of the one before; an empty one is closed all week."""

    timezone: Annotated[RealTimeZone, Meta(description="By default the owner's own.")] | None = None
    hours: Annotated[
        WeekIntervals,
        Meta(
            examples=[
                [
                    {"day": "monday", "opens": "09:00", "closes": "17:00"},
                    {"day": "saturday", "opens": "20:00", "closes": "02:00"},
                ]
            ]
        ),
    ]


class Workhour(msgspec.Struct, kw_only=True, frozen=True):
    """The week that holds, and whose it is; without any, `source` is none and `hours` null.

    `version` is that of the week, 0 without one.
    """

    source: Source
    timezone: str
    hours: tuple[DayInterval, ...] | None
    version: int


class OwnWeek(msgspec.Struct, kw_only=True, frozen=True):
    """A week that an owner has of its own; `timezone` is null when it is the owner's."""

    uuid: UUID
    timezone: str | None
    hours: tuple[DayInterval, ...]
    version: int
    created_at: datetime
    updated_at: datetime


class CreateException(ExceptionDays, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Hours that replace the regular ones on each day from the first to the last."""


class ChangeException(
    msgspec.Struct,
    kw_only=True,
    frozen=True,
    forbid_unknown_fields=True,
    rename={"first": "from", "last": "to"},
):
    """A JSON Merge Patch (RFC 7396): absent fields stay, a title of null is removed."""

    first: Annotated[date, Meta(examples=["2026-12-24"])] | UnsetType = UNSET
    last: Annotated[date, Meta(examples=["2026-12-26"])] | UnsetType = UNSET
    intervals: Intervals | UnsetType = UNSET
    title: ShortText | UnsetType | None = UNSET


class HoursException(ExceptionDays, kw_only=True, frozen=True):
    """Hours that replace the regular ones on each day from the first to the last."""

    uuid: UUID
    version: int
    created_at: datetime
    updated_at: datetime


class ExceptionQuery(ListQuery, kw_only=True, frozen=True):
    """Which exceptions to list."""

    sort: Annotated[str, Meta(max_length=200, description="from or -from.")] = "from"


class PauseCommand(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Closes at once, until an instant."""

    until: Annotated[Until, Meta(examples=["2027-12-24T18:00:00+07:00"])]


class HoursPause(msgspec.Struct, kw_only=True, frozen=True):
    """A closure from `created_at` until just before `until`, whatever the hours say."""

    uuid: UUID
    until: datetime
    version: int
    created_at: datetime
    updated_at: datetime


class WeekQuery(msgspec.Struct, kw_only=True, frozen=True):
    """How to tell the week."""

    format: (
        Annotated[Literal["schema.org"], Meta(description="Answers JSON-LD instead of the envelope.")] | None
    ) = None


class StatusQuery(msgspec.Struct, kw_only=True, frozen=True):
    """The instant to tell the state at."""

    at: Annotated[Instant, Meta(description="RFC 3339, with its offset from UTC; by default now.")] | None = (
        None
    )


class HoursStatus(msgspec.Struct, kw_only=True, frozen=True):
    """Whether it is open at an instant, why, and when that changes.

    `next_change_at` is looked for up to 400 days ahead; null when nothing changes until then.
    """

    state: State
    evaluated_at: datetime
    timezone: str
    next_change_at: datetime | None
    source: Source
    reason: Reason
