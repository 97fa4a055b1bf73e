from datetime import timedelta

import pytest

from infra.report import units
from infra.report.section import Answer, Column, column, number
from infra.report.text import lines


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (units.count(1234567), "1,234,567"),
        (units.size(0), "0 B"),
        (units.size(8192), "8192 B"),
        (units.size(12 << 20), "12 MB"),
        (units.size(20_000 << 40), "20,000 TB"),
        (units.share(0.1234), "12.3 %"),
        (units.milliseconds(0.345), "0.34 ms"),
        (units.milliseconds(12.34), "12.3 ms"),
        (units.milliseconds(1234.5), "1,234 ms"),
        (units.span(timedelta(seconds=0.25)), "0.2 s"),
        (units.span(timedelta(seconds=61)), "1 min 1 s"),
        (units.span(timedelta(days=3, hours=4, minutes=5)), "3 d 4 h"),
        (units.span(timedelta(seconds=-1)), "0.0 s"),
        (units.ago(timedelta(hours=2)), "2 h 0 min ago"),
        (units.ago(None), "never"),
        (units.size(None), "-"),
        (units.statement("SELECT 1\n  FROM t"), "SELECT 1 FROM t"),
    ],
)
def test_values_have_their_units(shown: str, expected: str) -> None:
    assert shown == expected


COLUMNS = (column("name"), number("size", units.size), Column("text", "last statement"))


def answer(**other: object) -> Answer:
    rows = [
        {"name": "a", "size": 5, "text": "short"},
        {"name": "longer", "size": 20 << 10, "text": "x" * 100},
    ]
    return Answer("A topic", COLUMNS, rows, "Do this.", **other)  # pyright: ignore[reportArgumentType] - strings


def test_columns_are_aligned_and_the_last_one_is_cut() -> None:
    assert list(lines(answer(), 50)) == [
        "A topic",
        "  name     size  last statement",
        "  a         5 B  short",
        "  longer  20 kB  xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…",
        "  → Do this.",
    ]


def test_a_sentence_instead_is_wrapped() -> None:
    assert list(lines(answer(instead="one two three"), 10)) == ["A topic", "  one two", "  three"]
