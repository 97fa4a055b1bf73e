"""What the database refuses of schedules, whoever writes them: seen by SQL alone, past all code of ours."""

import json
import random
from typing import Any

import asyncpg
import msgspec

from shared.hours.model import Day, DayInterval, ExceptionDays, Interval
from shared.hours.validation import exception_problems, week_problems
from tests.support.databases import connect
from tests.support.resource import Json, Resource
from tests.support.workhours import MONDAY

REFUSED = (
    asyncpg.CheckViolationError,
    asyncpg.ForeignKeyViolationError,
    asyncpg.NotNullViolationError,
    asyncpg.UniqueViolationError,
    asyncpg.StringDataRightTruncationError,
)

SHIFT: Json = {"opens": "09:00", "closes": "17:00"}
NIGHT: Json = {"opens": "22:00", "closes": "06:00"}
OTHER = "0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f"
HOURLY = [{"opens": f"{hour:02}:00", "closes": f"{hour:02}:30"} for hour in range(24)]

BAD_SHIFTS: dict[str, object] = {
    "no array": {},
    "no object": ["09:00"],
    "an array": [[SHIFT]],
    "null": [None],
    "no end": [{"opens": "09:00"}],
    "a number": [{**SHIFT, "opens": 9}],
    "no time": [{**SHIFT, "opens": None}],
    "a short time": [{**SHIFT, "opens": "9:00"}],
    "a line feed": [{**SHIFT, "closes": "17:00\n"}],
    "25 o'clock": [{**SHIFT, "closes": "25:00"}],
    "a minute past the end": [{**SHIFT, "closes": "24:01"}],
    "opening at the end": [{**SHIFT, "opens": "24:00"}],
    "another member": [{**SHIFT, "note": "x"}],
    "no length": [{"opens": "09:00", "closes": "09:00"}],
    "an overlap": [SHIFT, {"opens": "16:59", "closes": "18:00"}],
    "the same twice": [SHIFT, SHIFT],
    "one within another": [{"opens": "00:00", "closes": "24:00"}, SHIFT],
    "eleven a day": HOURLY[:11],
}
GOOD_SHIFTS: list[list[Json]] = [[], [SHIFT], [NIGHT], HOURLY[:10], [{"opens": "00:00", "closes": "24:00"}]]

BAD_WEEKS: dict[str, list[Json]] = {
    "an unknown day": [{**MONDAY, "day": "Monday"}],
    "no day": [SHIFT],
    "a night into the next day": [{**NIGHT, "day": "monday"}, {"day": "tuesday", **SHIFT, "opens": "05:59"}],
    "Sunday into Monday": [{**SHIFT, "day": "monday", "opens": "05:59"}, {**NIGHT, "day": "sunday"}],
}

_WEEK = "INSERT INTO workhours (uuid, owner_uuid, hours, timezone) VALUES (gen_random_uuid(), $1, $2, $3)"
_EXCEPTION = """
    INSERT INTO workhour_exceptions (uuid, owner_uuid, first, last, intervals, title)
    VALUES ($1, $2, $3::text::date, $4::text::date, $5, $6)
"""
_DAYS = """
    INSERT INTO workhour_exception_days (owner_uuid, day, exception_uuid)
    SELECT $2, day, $1 FROM generate_series($3::text::date, $4::text::date, interval '1 day') AS day
"""
_PAUSE = """
    INSERT INTO workhour_pauses (uuid, owner_uuid, created_at, until)
    VALUES (gen_random_uuid(), $1, $2::text::timestamptz, $3::text::timestamptz)
"""


class Rows:
    """Writes rows of one owner's schedule; each write is undone."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]", owner: str) -> None:
        self._connection = connection
        self.owner = owner

    async def constraint(self, *statements: tuple[Any, ...]) -> str | None:
        """Return which constraint refuses what these statements do in a transaction, None for none."""
        transaction = self._connection.transaction()
        await transaction.start()
        try:
            for sql, *values in statements:
                await self._connection.execute(sql, *values)
            await self._connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except REFUSED as error:
            return str(getattr(error, "constraint_name", None) or getattr(error, "column_name", None))
        finally:
            await transaction.rollback()
        return None

    async def week(self, hours: object, timezone: str | None = None) -> str | None:
        """Return what refuses this week."""
        return await self.constraint((_WEEK, self.owner, json.dumps(hours), timezone))

    async def exception(self, first: str, last: str, intervals: object = (), title: str = "x") -> str | None:
        """Return what refuses this exception, its days being written with it."""
        return await self.constraint(*self.covering(OTHER, first, last, intervals, title))

    def covering(
        self, uuid: str, first: str, last: str, intervals: object = (), title: str = "x"
    ) -> list[tuple[Any, ...]]:
        """Return the statements that write an exception and its days."""
        added = (_EXCEPTION, uuid, self.owner, first, last, json.dumps(intervals), title)
        return [added, (_DAYS, uuid, self.owner, first, last)]

    async def pause(self, since: str, until: str) -> str | None:
        """Return what refuses this pause."""
        return await self.constraint((_PAUSE, self.owner, since, until))


async def assert_the_database_keeps_the_rules(owners: Resource) -> None:
    """See what is refused of weeks, exceptions, their days, and pauses, and what is not."""
    owner, stranger = await owners.make(), await owners.make()
    connection = await connect(owners.database.app)
    rows = Rows(connection, owner["uuid"])
    try:
        await _weeks(rows)
        await _exceptions(rows)
        await _days(rows, stranger["uuid"])
        await _pauses(rows)
    finally:
        await connection.close()


async def _weeks(rows: Rows) -> None:
    bad = {name: _on_monday(shifts) for name, shifts in BAD_SHIFTS.items()} | BAD_WEEKS
    for name, hours in bad.items():
        assert await rows.week(hours) in {"workhours_hours_form", "workhours_hours_hold"}, name
    for shifts in GOOD_SHIFTS:
        assert await rows.week(_on_monday(shifts)) is None, shifts
    assert await rows.week([{**NIGHT, "day": "sunday"}, {**SHIFT, "day": "monday", "opens": "06:00"}]) is None
    assert await rows.week([], "Asia/Jakarta") is None
    assert await rows.week([], "") == "workhours_timezone_given"
    assert await rows.constraint((_WEEK, OTHER, "[]", None)) == "workhours_owner_uuid_fkey"
    twice = (_WEEK, rows.owner, "[]", None)
    assert await rows.constraint(twice, twice) == "workhours_owner_unique"


async def _exceptions(rows: Rows) -> None:
    for name, shifts in BAD_SHIFTS.items():
        refused = await rows.exception("2026-12-24", "2026-12-24", shifts)
        assert refused in {"workhour_exceptions_intervals_form", "workhour_exceptions_intervals_hold"}, name
    for shifts in GOOD_SHIFTS:
        assert await rows.exception("2026-12-24", "2026-12-26", shifts) is None, shifts
    night_and_day = [NIGHT, {**SHIFT, "opens": "05:00"}]
    assert await rows.exception("2026-12-24", "2026-12-24", night_and_day) is None
    assert (
        await rows.exception("2026-12-24", "2026-12-25", night_and_day)
        == "workhour_exceptions_intervals_hold"
    )
    assert await rows.exception("2026-12-24", "2026-12-24", [MONDAY]) == "workhour_exceptions_intervals_hold"
    assert await rows.exception("2026-12-24", "2026-12-23") == "workhour_exceptions_days"
    assert await rows.exception("2027-01-01", "2028-01-01") is None  # 366 days
    assert await rows.exception("2027-01-01", "2028-01-02") == "workhour_exceptions_days"
    assert await rows.exception("infinity", "infinity") == "workhour_exceptions_in_calendar"
    assert await rows.exception("0001-01-01 BC", "0001-01-01 BC") == "workhour_exceptions_in_calendar"
    assert await rows.exception("2026-12-24", "2026-12-24", title="") == "workhour_exceptions_title_given"


async def _days(rows: Rows, stranger: str) -> None:
    one = rows.covering(OTHER, "2026-12-24", "2026-12-26")
    twin = rows.covering(OTHER.replace("d1e", "d1f"), "2026-12-26", "2026-12-28")
    assert await rows.constraint(*one) is None
    assert await rows.constraint(*one, *twin) == "workhour_exception_days_pkey"
    uncovered = "workhour_exceptions_cover_days"
    assert await rows.constraint(one[0]) == uncovered
    assert await rows.constraint(one[0], (*one[1][:4], "2026-12-25")) == uncovered
    assert await rows.constraint(one[0], (*one[1][:3], "2026-12-25", "2026-12-27")) == uncovered
    checked = ("SET CONSTRAINTS ALL IMMEDIATE",)
    longer = "UPDATE workhour_exceptions SET last = last + 1 WHERE owner_uuid = $1"
    assert await rows.constraint(*one, checked, (longer, rows.owner)) == uncovered
    theirs = (_DAYS, OTHER, stranger, "2026-12-24", "2026-12-26")
    assert await rows.constraint(one[0], theirs) == "workhour_exception_days_exception_uuid_fkey"


async def _pauses(rows: Rows) -> None:
    assert await rows.pause("2026-12-24T10:00Z", "2026-12-24T10:01Z") is None
    assert await rows.pause("2026-12-24T10:00Z", "2026-12-24T10:00Z") == "workhour_pauses_until_later"
    assert await rows.pause("2026-12-24T10:00Z", "infinity") == "workhour_pauses_in_calendar"
    twice = (_PAUSE, rows.owner, "2026-12-24T10:00Z", "2026-12-24T10:01Z")
    assert await rows.constraint(twice, twice) == "workhour_pauses_owner_unique"


async def assert_the_database_and_the_code_agree(owners: Resource) -> None:
    """Compare both on many weeks and exceptions made by chance, with few hours so that many nearly touch."""
    chance = random.Random(20261125)
    weeks = [_some_week(chance) for _ in range(600)]
    exceptions = [_some_exception(chance) for _ in range(600)]
    held = await _held(owners, weeks, ["day", "opens", "closes"], [10080] * len(weeks))
    assert held == [not week_problems(each) for each in weeks]
    assert 100 < sum(held) < 500
    circles = [1440 if each.last > each.first else 10080 for each in exceptions]
    held = await _held(owners, [each.intervals for each in exceptions], ["opens", "closes"], circles)
    assert held == [not exception_problems(each) for each in exceptions]
    assert 100 < sum(held) < 500


async def _held(owners: Resource, documents: list[Any], members: list[str], circles: list[int]) -> list[bool]:
    rows = await owners.run(
        "SELECT workhour_intervals_hold(document::jsonb, $2, circle) FROM unnest($1::text[], $3::integer[])"
        " WITH ORDINALITY AS each (document, circle, place) ORDER BY place",
        [msgspec.json.encode(document).decode() for document in documents],
        members,
        circles,
    )
    return [row[0] for row in rows]


def _some_week(chance: random.Random) -> tuple[DayInterval, ...]:
    days = list(Day)
    return tuple(
        DayInterval(chance.choice(days), *_some_times(chance)) for _ in range(chance.choice([1, 2, 3, 4, 12]))
    )


def _some_exception(chance: random.Random) -> ExceptionDays:
    shifts = tuple(Interval(*_some_times(chance)) for _ in range(chance.choice([1, 1, 2, 2, 3])))
    first = msgspec.convert("2026-12-24", ExceptionDays.__annotations__["first"])
    return ExceptionDays(first=first, last=first.replace(day=chance.choice([24, 25])), intervals=shifts)


def _some_times(chance: random.Random) -> tuple[str, str]:
    opens, closes = chance.choice(range(0, 24, 3)), chance.choice(range(0, 25, 3))
    return f"{opens:02}:00", f"{closes:02}:00"


def _on_monday(shifts: Any) -> Any:  # noqa: ANN401 - what may be no JSON of hours at all
    if not isinstance(shifts, list):
        return shifts
    return [{"day": "monday", **each} if isinstance(each, dict) else each for each in shifts]  # pyright: ignore[reportUnknownVariableType]
