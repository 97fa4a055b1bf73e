"""How far a load is: a bar for a person at a terminal, a line for each tenth otherwise."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Advance = Callable[[int], None]

_TENTHS = 10


@contextmanager
def progress(what: str, total: int) -> Generator[Advance]:
    """Show how many of `total` are done; call the value with each number of further ones."""
    if sys.stdout.isatty():
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns) as bar:
            task = bar.add_task(what, total=total)
            yield lambda number: bar.advance(task, number)
    else:
        yield _Lines(what, total).advance


class _Lines:
    """Prints a line whenever another tenth is done, if there is more than one step."""

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._done = 0

    def advance(self, number: int) -> None:
        before = self._done * _TENTHS // self._total
        self._done += number
        if before < self._done * _TENTHS // self._total and number < self._total:
            print(f"{self._what}: {self._done:,} of {self._total:,}", flush=True)
