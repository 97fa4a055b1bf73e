"""The tables of schedules as the services' migrations make them; it never changes afterwards."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

_NOW = sa.text("now()")


def create_schedule_tables(owners: str) -> None:
    """Create the tables of the schedules of those who are in the table `owners`."""
    _create_weeks(owners)
    _create_exceptions(owners)
    _create_days()
    _create_pauses(owners)


def drop_schedule_tables() -> None:
    """Drop what `create_schedule_tables` made."""
    for name in ("workhour_pauses", "workhour_exception_days", "workhour_exceptions", "workhours"):
        op.drop_table(name)


def _create_weeks(owners: str) -> None:
    op.create_table(
        "workhours",
        *_identity(owners),
        sa.Column("timezone", sa.String(64), comment="null: the owner's"),
        sa.Column("hours", JSONB, nullable=False, comment="shared.hours.model.WeekIntervals"),
        *_changed_columns(),
        sa.UniqueConstraint("owner_uuid", name="workhours_owner_unique"),
        sa.CheckConstraint("jsonb_typeof(hours) = 'array'", name="workhours_hours_form"),
        sa.CheckConstraint("version > 0", name="workhours_version_positive"),
        comment="weeks of opening hours; an owner without one has no regular hours of its own",
    )


def _create_exceptions(owners: str) -> None:
    op.create_table(
        "workhour_exceptions",
        *_identity(owners),
        sa.Column("first", sa.Date, nullable=False),
        sa.Column("last", sa.Date, nullable=False, comment="inclusive"),
        sa.Column("intervals", JSONB, nullable=False, comment="shared.hours.model.Intervals"),
        sa.Column("title", sa.String(200)),
        *_changed_columns(),
        sa.CheckConstraint("last BETWEEN first AND first + 365", name="workhour_exceptions_days"),
        sa.CheckConstraint("jsonb_typeof(intervals) = 'array'", name="workhour_exceptions_intervals_form"),
        sa.CheckConstraint("version > 0", name="workhour_exceptions_version_positive"),
        comment="hours that replace the regular ones on some days",
    )
    op.create_index("workhour_exceptions_of_owner", "workhour_exceptions", ["owner_uuid", "first", "uuid"])


def _create_days() -> None:
    exception = sa.ForeignKey("workhour_exceptions.uuid", ondelete="CASCADE")
    op.create_table(
        "workhour_exception_days",
        sa.Column("owner_uuid", sa.Uuid, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("exception_uuid", sa.Uuid, exception, nullable=False),
        comment="each day that an exception covers: of one owner no two have the same",
    )
    op.create_index("workhour_exception_days_of_exception", "workhour_exception_days", ["exception_uuid"])


def _create_pauses(owners: str) -> None:
    op.create_table(
        "workhour_pauses",
        *_identity(owners),
        sa.Column(
            "until",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="exclusive; it began when created",
        ),
        *_changed_columns(),
        sa.UniqueConstraint("owner_uuid", name="workhour_pauses_owner_unique"),
        sa.CheckConstraint("until > created_at", name="workhour_pauses_until_later"),
        sa.CheckConstraint("version > 0", name="workhour_pauses_version_positive"),
        comment="emergency closures; one that is over may still be here",
    )


def _identity(owners: str) -> list[sa.Column[Any]]:
    return [
        sa.Column("uuid", sa.Uuid, primary_key=True),
        sa.Column("owner_uuid", sa.Uuid, sa.ForeignKey(f"{owners}.uuid"), nullable=False),
    ]


def _changed_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("version", sa.BigInteger, nullable=False, server_default=sa.text("1")),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=_NOW),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=_NOW),
    ]
