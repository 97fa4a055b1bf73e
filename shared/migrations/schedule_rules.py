"""What must hold of schedules however they are reached, as migrations add it; it never changes afterwards."""

from alembic import op

# The rules of shared.hours.validation: a form that can be read, and intervals on a circle of minutes of which
# none begins within another. It is a function because a CHECK cannot look at the members of a document.
_HOURS_HOLD = r"""
CREATE FUNCTION workhour_intervals_hold(intervals jsonb, members text[], circle integer) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE
        WHEN jsonb_typeof(intervals) <> 'array' THEN false
        WHEN EXISTS (
            SELECT FROM jsonb_array_elements(intervals) AS each (shift)
            WHERE CASE WHEN jsonb_typeof(shift) <> 'object' THEN true ELSE
                NOT shift ?& members OR shift - members <> '{}'
                OR jsonb_typeof(shift -> 'opens') <> 'string' OR jsonb_typeof(shift -> 'closes') <> 'string'
                OR shift ->> 'opens' !~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'
                OR shift ->> 'closes' !~ '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$'
                OR shift ->> 'opens' = shift ->> 'closes'
                OR shift ->> 'day' <> ALL (
                    ARRAY['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday']
                )
            END
        ) THEN false
        ELSE (
            WITH times AS (
                SELECT place, shift ->> 'day' AS day,
                       left(shift ->> 'opens', 2)::integer * 60
                           + right(shift ->> 'opens', 2)::integer AS opens,
                       left(shift ->> 'closes', 2)::integer * 60
                           + right(shift ->> 'closes', 2)::integer AS closes
                FROM jsonb_array_elements(intervals) WITH ORDINALITY AS each (shift, place)
            ), stretches AS (
                SELECT place, day,
                       opens + 1440 * CASE day
                           WHEN 'tuesday' THEN 1 WHEN 'wednesday' THEN 2 WHEN 'thursday' THEN 3
                           WHEN 'friday' THEN 4 WHEN 'saturday' THEN 5 WHEN 'sunday' THEN 6 ELSE 0
                       END AS start,
                       CASE WHEN closes > opens THEN closes - opens ELSE closes - opens + 1440 END AS length
                FROM times
            )
            SELECT NOT EXISTS (SELECT FROM stretches GROUP BY day HAVING count(*) > 10)
               AND NOT EXISTS (
                   SELECT FROM stretches AS one JOIN stretches AS other ON other.place <> one.place
                   WHERE mod(other.start - one.start + circle, circle) < one.length
               )
        )
    END;
END
"""

# Deferred, for the days are written after their exception, in the same transaction.
_DAYS_HOLD = """
CREATE FUNCTION workhour_exception_covers_its_days() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    covered bigint;
    outside bigint;
BEGIN
    SELECT count(*), count(*) FILTER (WHERE day < kept.first OR day > kept.last)
    INTO covered, outside
    FROM workhour_exceptions AS kept JOIN workhour_exception_days ON exception_uuid = kept.uuid
    WHERE kept.uuid = NEW.uuid;
    IF EXISTS (
        SELECT FROM workhour_exceptions AS kept
        WHERE kept.uuid = NEW.uuid AND (outside > 0 OR covered <> kept.last - kept.first + 1)
    ) THEN
        RAISE EXCEPTION 'exception % does not cover its days', NEW.uuid
            USING ERRCODE = 'check_violation', CONSTRAINT = 'workhour_exceptions_cover_days',
                  TABLE = 'workhour_exceptions';
    END IF;
    RETURN NULL;
END $$
"""
_DAYS_TRIGGER = """
CREATE CONSTRAINT TRIGGER workhour_exceptions_cover_days AFTER INSERT OR UPDATE ON workhour_exceptions
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION workhour_exception_covers_its_days()
"""

_CHECKS = {
    "workhours": {
        "workhours_hours_hold": "workhour_intervals_hold(hours, ARRAY['day', 'opens', 'closes'], 10080)",
        "workhours_timezone_given": "timezone <> ''",
    },
    "workhour_exceptions": {
        "workhour_exceptions_intervals_hold": (
            "workhour_intervals_hold(intervals, ARRAY['opens', 'closes'],"
            " CASE WHEN last > first THEN 1440 ELSE 10080 END)"
        ),
        "workhour_exceptions_in_calendar": "first >= DATE '0001-01-01' AND last <= DATE '9999-12-31'",
        "workhour_exceptions_title_given": "title <> ''",
    },
    "workhour_pauses": {
        "workhour_pauses_in_calendar": "until <= TIMESTAMPTZ '9000-01-01 00:00:00+00'",
    },
}
_FOREIGN_KEY = "workhour_exception_days_exception_uuid_fkey"


def add_schedule_rules() -> None:
    """Let the database itself refuse hours that cannot be read or overlap, and days that are not covered."""
    op.execute(_HOURS_HOLD)
    for table, checks in _CHECKS.items():
        for name, check in checks.items():
            op.create_check_constraint(name, table, check)
    op.create_unique_constraint(
        "workhour_exceptions_of_one_owner", "workhour_exceptions", ["uuid", "owner_uuid"]
    )
    _refer_to_exceptions(["uuid", "owner_uuid"], ["exception_uuid", "owner_uuid"])
    op.execute(_DAYS_HOLD)
    op.execute(_DAYS_TRIGGER)


def remove_schedule_rules() -> None:
    """Undo `add_schedule_rules`."""
    op.execute("DROP TRIGGER workhour_exceptions_cover_days ON workhour_exceptions")
    op.execute("DROP FUNCTION workhour_exception_covers_its_days")
    _refer_to_exceptions(["uuid"], ["exception_uuid"])
    op.drop_constraint("workhour_exceptions_of_one_owner", "workhour_exceptions")
    for table, checks in _CHECKS.items():
        for name in checks:
            op.drop_constraint(name, table)
    op.execute("DROP FUNCTION workhour_intervals_hold")


def _refer_to_exceptions(remote: list[str], local: list[str]) -> None:
    days = "workhour_exception_days"
    op.drop_constraint(_FOREIGN_KEY, days)
    op.create_foreign_key(_FOREIGN_KEY, days, "workhour_exceptions", local, remote, ondelete="CASCADE")
