"""The tables in which a service keeps the schedules of its owners."""

from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

_NOW = text("now()")

# The functions, and the trigger that lets no exception be without its days: shared.migrations.schedule_rules.
_INTERVALS_HOLD = (
    "workhour_intervals_hold(intervals, ARRAY['opens', 'closes'],"
    " CASE WHEN last > first THEN 1440 ELSE 10080 END)"
)


class ScheduleTables(NamedTuple):
    """The tables by what they hold."""

    weeks: Table
    exceptions: Table
    days: Table
    pauses: Table


def schedule_tables(metadata: MetaData, owners: str) -> ScheduleTables:
    """Declare the tables in `metadata`; `owners` is the table of those whose schedules they are."""
    return ScheduleTables(
        _weeks(metadata, owners), _exceptions(metadata, owners), _days(metadata), _pauses(metadata, owners)
    )


def _weeks(metadata: MetaData, owners: str) -> Table:
    return Table(
        "workhours",
        metadata,
        Column("uuid", Uuid, primary_key=True),
        Column("owner_uuid", Uuid, ForeignKey(f"{owners}.uuid"), nullable=False),
        Column("timezone", String(64), comment="null: the owner's"),
        Column("hours", JSONB, nullable=False, comment="shared.hours.model.WeekIntervals"),
        *_changed_columns(),
        UniqueConstraint("owner_uuid", name="workhours_owner_unique"),
        CheckConstraint("jsonb_typeof(hours) = 'array'", name="workhours_hours_form"),
        CheckConstraint(
            "workhour_intervals_hold(hours, ARRAY['day', 'opens', 'closes'], 10080)",
            name="workhours_hours_hold",
        ),
        CheckConstraint("timezone <> ''", name="workhours_timezone_given"),
        CheckConstraint("version > 0", name="workhours_version_positive"),
        comment="weeks of opening hours; an owner without one has no regular hours of its own",
    )


def _exceptions(metadata: MetaData, owners: str) -> Table:
    return Table(
        "workhour_exceptions",
        metadata,
        Column("uuid", Uuid, primary_key=True),
        Column("owner_uuid", Uuid, ForeignKey(f"{owners}.uuid"), nullable=False),
        Column("first", Date, nullable=False),
        Column("last", Date, nullable=False, comment="inclusive"),
        Column("intervals", JSONB, nullable=False, comment="shared.hours.model.Intervals"),
        Column("title", String(200)),
        *_changed_columns(),
        CheckConstraint("last BETWEEN first AND first + 365", name="workhour_exceptions_days"),
        CheckConstraint("jsonb_typeof(intervals) = 'array'", name="workhour_exceptions_intervals_form"),
        CheckConstraint(_INTERVALS_HOLD, name="workhour_exceptions_intervals_hold"),
        CheckConstraint(
            "first >= DATE '0001-01-01' AND last <= DATE '9999-12-31'", name="workhour_exceptions_in_calendar"
        ),
        CheckConstraint("title <> ''", name="workhour_exceptions_title_given"),
        CheckConstraint("version > 0", name="workhour_exceptions_version_positive"),
        UniqueConstraint("uuid", "owner_uuid", name="workhour_exceptions_of_one_owner"),
        Index("workhour_exceptions_of_owner", "owner_uuid", "first", "uuid"),
        comment="hours that replace the regular ones on some days",
    )


def _days(metadata: MetaData) -> Table:
    return Table(
        "workhour_exception_days",
        metadata,
        Column("owner_uuid", Uuid, primary_key=True),
        Column("day", Date, primary_key=True),
        Column("exception_uuid", Uuid, nullable=False),
        ForeignKeyConstraint(
            ["exception_uuid", "owner_uuid"],
            ["workhour_exceptions.uuid", "workhour_exceptions.owner_uuid"],
            name="workhour_exception_days_exception_uuid_fkey",
            ondelete="CASCADE",
        ),
        Index("workhour_exception_days_of_exception", "exception_uuid"),
        comment="each day that an exception covers: of one owner no two have the same",
    )


def _pauses(metadata: MetaData, owners: str) -> Table:
    return Table(
        "workhour_pauses",
        metadata,
        Column("uuid", Uuid, primary_key=True),
        Column("owner_uuid", Uuid, ForeignKey(f"{owners}.uuid"), nullable=False),
        Column("until", DateTime(timezone=True), nullable=False, comment="exclusive; it began when created"),
        *_changed_columns(),
        UniqueConstraint("owner_uuid", name="workhour_pauses_owner_unique"),
        CheckConstraint("until > created_at", name="workhour_pauses_until_later"),
        CheckConstraint("until <= TIMESTAMPTZ '9000-01-01 00:00:00+00'", name="workhour_pauses_in_calendar"),
        CheckConstraint("version > 0", name="workhour_pauses_version_positive"),
        comment="emergency closures; one that is over may still be here",
    )


def _changed_columns() -> list[Column[Any]]:
    return [
        Column("version", BigInteger, nullable=False, server_default=text("1")),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
        Column("updated_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
    ]
