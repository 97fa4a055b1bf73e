from datetime import date
from typing import Any

import msgspec
import pytest

from shared.hours.model import Day, DayInterval, ExceptionDays, Interval, Schedule
from shared.hours.schema_org import Place, place

WORKDAYS = list(Day)[:5]


def told(schedule: Schedule) -> dict[str, Any]:
    return msgspec.json.decode(msgspec.json.encode(place(schedule)))


def days(first: str, last: str, *intervals: Interval, title: str | None = None) -> ExceptionDays:
    return ExceptionDays(
        first=date.fromisoformat(first), last=date.fromisoformat(last), intervals=intervals, title=title
    )


def validity(schedule: Schedule) -> list[tuple[str, str, str]]:
    special = told(schedule)["specialOpeningHoursSpecification"]
    return [(each["validFrom"], each["validThrough"], each["opens"]) for each in special]


def test_days_with_the_same_hours_are_told_together() -> None:
    week = [DayInterval(Day.SATURDAY, "10:00", "14:00")]
    week += [DayInterval(day, "13:00", "17:00") for day in WORKDAYS]
    week += [DayInterval(day, "09:00", "12:00") for day in WORKDAYS]
    names = [f"https://schema.org/{day}" for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")]
    type_ = "OpeningHoursSpecification"
    assert told(Schedule(tuple(week))) == {
        "@type": "Place",
        "@context": "https://schema.org",
        "openingHoursSpecification": [
            {"@type": type_, "opens": "09:00", "closes": "12:00", "dayOfWeek": names},
            {"@type": type_, "opens": "13:00", "closes": "17:00", "dayOfWeek": names},
            {
                "@type": type_,
                "opens": "10:00",
                "closes": "14:00",
                "dayOfWeek": ["https://schema.org/Saturday"],
            },
            {
                "@type": type_,
                "opens": "00:00",
                "closes": "00:00",
                "dayOfWeek": ["https://schema.org/Sunday"],
            },
        ],
    }


@pytest.mark.parametrize(
    ("opens", "closes", "expected"),
    [
        ("00:00", "24:00", ("00:00", "23:59")),
        ("18:00", "24:00", ("18:00", "00:00")),
        ("18:00", "03:00", ("18:00", "03:00")),
    ],
)
def test_times_follow_the_conventions_of_the_vocabulary(
    opens: str, closes: str, expected: tuple[str, str]
) -> None:
    week = tuple(DayInterval(day, opens, closes) for day in Day)
    [regular] = told(Schedule(week))["openingHoursSpecification"]
    assert (regular["opens"], regular["closes"], len(regular["dayOfWeek"])) == (*expected, 7)


def test_a_closed_week_is_told_and_an_unknown_one_is_not() -> None:
    [closed] = told(Schedule(()))["openingHoursSpecification"]
    assert (closed["opens"], closed["closes"], len(closed["dayOfWeek"])) == ("00:00", "00:00", 7)
    assert told(Schedule(None)) == {"@type": "Place", "@context": "https://schema.org"}


def test_exceptions_are_valid_for_their_dates() -> None:
    short = Interval("10:00", "12:00")
    exceptions = (
        days("2026-12-31", "2026-12-31", short, Interval("13:00", "15:00")),
        days("2026-12-24", "2026-12-26", title="Natal"),
    )
    type_ = "OpeningHoursSpecification"
    new_year = {"@type": type_, "validFrom": "2026-12-31", "validThrough": "2026-12-31"}
    assert told(Schedule((), (exceptions,)))["specialOpeningHoursSpecification"] == [
        {
            "@type": type_,
            "opens": "00:00",
            "closes": "00:00",
            "validFrom": "2026-12-24",
            "validThrough": "2026-12-26",
            "name": "Natal",
        },
        {**new_year, "opens": "10:00", "closes": "12:00"},
        {**new_year, "opens": "13:00", "closes": "15:00"},
    ]


@pytest.mark.parametrize(
    ("winning", "left"),
    [
        ([("2026-12-01", "2026-12-31")], []),
        ([("2026-12-10", "2026-12-20")], []),
        ([("2026-12-12", "2026-12-14")], [("2026-12-10", "2026-12-11"), ("2026-12-15", "2026-12-20")]),
        ([("2026-12-01", "2026-12-10")], [("2026-12-11", "2026-12-20")]),
        ([("2026-12-20", "2026-12-31")], [("2026-12-10", "2026-12-19")]),
        ([("2026-12-01", "2026-12-09"), ("2026-12-21", "2026-12-31")], [("2026-12-10", "2026-12-20")]),
        (
            [("2026-12-18", "2026-12-31"), ("2026-12-12", "2026-12-12")],
            [("2026-12-10", "2026-12-11"), ("2026-12-13", "2026-12-17")],
        ),
    ],
)
def test_of_two_layers_each_date_is_told_as_it_holds(
    winning: list[tuple[str, str]], left: list[tuple[str, str]]
) -> None:
    own = tuple(days(first, last, Interval("08:00", "09:00")) for first, last in winning)
    inherited = (days("2026-12-10", "2026-12-20", Interval("10:00", "11:00")),)
    assert validity(Schedule((), (own, inherited))) == [
        *[(first, last, "08:00") for first, last in sorted(winning)],
        *[(first, last, "10:00") for first, last in left],
    ]


def test_the_document_can_be_described() -> None:
    schema = msgspec.json.schema(Place)["$defs"]
    assert set(schema) == {"Place", "OpeningHoursSpecification"}
    assert schema["Place"]["properties"]["@type"] == {"enum": ["Place"]}
