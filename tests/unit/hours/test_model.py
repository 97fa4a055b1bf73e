from datetime import date
from typing import Any

import msgspec
import pytest

from shared.conversion import field_errors, to_struct
from shared.hours.model import ExceptionDays, Interval, Week


def week(opens: str, closes: str, day: str = "monday") -> dict[str, Any]:
    return {"timezone": "Asia/Jakarta", "hours": [{"day": day, "opens": opens, "closes": closes}]}


@pytest.mark.parametrize(("opens", "closes"), [("00:00", "24:00"), ("23:59", "00:00"), ("09:30", "17:05")])
def test_times_are_hours_and_minutes(opens: str, closes: str) -> None:
    hours = to_struct(week(opens, closes), Week, strict=True).hours[0]
    assert (hours.opens, hours.closes) == (opens, closes)


@pytest.mark.parametrize(
    "time", ["9:00", "09:60", "24:01", "25:00", "09:00:00", "09:00\n", "0900", "", "٠٩:00"]
)
def test_what_is_no_time_is_told_where(time: str) -> None:
    closing = field_errors(week("09:00", time), Week, strict=True)
    assert [(problem.field, "HH:MM" in problem.message) for problem in closing] == [("hours[0].closes", True)]


def test_a_day_does_not_open_at_its_end() -> None:
    problems = field_errors(week("24:00", "09:00"), Week, strict=True)
    assert [problem.field for problem in problems] == ["hours[0].opens"]


def test_days_have_their_english_names() -> None:
    problems = field_errors(week("09:00", "17:00", day="Monday"), Week, strict=True)
    assert [problem.field for problem in problems] == ["hours[0].day"]


def test_exception_days_are_told_as_from_and_to() -> None:
    text = (
        b'{"from":"2026-12-24","to":"2026-12-26",'
        b'"intervals":[{"opens":"10:00","closes":"15:00"}],"title":null}'
    )
    exception = ExceptionDays(
        first=date(2026, 12, 24), last=date(2026, 12, 26), intervals=(Interval("10:00", "15:00"),)
    )
    assert msgspec.json.decode(text, type=ExceptionDays) == exception
    assert msgspec.json.encode(exception) == text
