"""One topic of a report: what is asked, how the answer is shown, and what to do about it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Show = Callable[[Any], str]


@dataclass(frozen=True)
class Limits:
    """From where on something is worth a line."""

    long_transaction_seconds: float = 60
    large_rows: int = 10_000
    dead_rows: int = 1_000
    dead_share: float = 0.2
    index_bytes: int = 1 << 20
    bloat_bytes: int = 10 << 20
    bloat_share: float = 0.3


@dataclass(frozen=True)
class Column:
    """A column of the answer: its name in SQL, its title, and how a value is shown."""

    name: str
    title: str
    show: Show = str
    numeric: bool = False


@dataclass(frozen=True)
class Section:
    """A question, with parameters taken from Limits by name.

    `counted` questions depend on since when the server has counted, which is told beside the title.
    """

    title: str
    sql: str
    columns: tuple[Column, ...]
    nothing: str
    advice: str
    limits: tuple[str, ...] = ()
    counted: bool = False


@dataclass(frozen=True)
class Answer:
    """What there is to tell on one topic: rows and what to do about them, or a sentence instead."""

    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Mapping[str, Any]]
    advice: str
    instead: str = ""


def column(name: str, title: str = "") -> Column:
    """Return a column of text; its title is its name unless there is another."""
    return Column(name, title or name.replace("_", " "))


def number(name: str, show: Show, title: str = "") -> Column:
    """Return a column of numbers, times or sizes, aligned to the right."""
    return Column(name, title or name.replace("_", " "), show, numeric=True)
