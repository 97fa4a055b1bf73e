"""Results as a table, on the terminal and in RESULTS.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.machine import description
from benchmarks.rounds import Sample, Spread

RESULTS = Path(__file__).parent / "RESULTS.md"

_COLUMNS = ("figure", "ours", "peer", "ratio (min-max)", "goal", "met")
_METHOD = """\
Written by `./taskw bench -- --write`; `python -m benchmarks --help` says how each figure is measured.
Compare ratios: the figures themselves depend on the machine and on who else uses it."""


@dataclass(frozen=True)
class Result:
    """One figure beside its goal; `met` is None when it could not be measured."""

    figure: str
    ours: str
    peer: str
    ratio: str
    goal: str
    met: bool | None

    def cells(self) -> tuple[str, ...]:
        """Return the texts of a table row."""
        verdict = {True: "yes", False: "NO", None: "skipped"}[self.met]
        return (self.figure, self.ours, self.peer, self.ratio, self.goal, verdict)


def comparison(figure: str, ours: Spread, peer: Spread, ratio: Spread, least: float) -> Result:
    """Return how our speed compares with a peer's; the median ratio must reach `least`."""
    return Result(
        figure,
        f"{ours.middle:,.0f}/s",
        f"{peer.middle:,.0f}/s",
        f"{ratio.middle:.2f}x ({ratio.low:.2f}-{ratio.high:.2f})",
        f">= {least}x",
        ratio.middle >= least,
    )


def speed(samples: Sequence[Sample]) -> Spread:
    """Return the answers for each second of processor time."""
    return Spread(tuple(sample.per_cpu_second for sample in samples))


def table(results: Sequence[Result]) -> str:
    """Return the results as a Markdown table that is easy to read as text as well."""
    rows = [_COLUMNS, *(result.cells() for result in results)]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = [_line(row, widths) for row in rows]
    lines.insert(1, _line(["-" * width for width in widths], widths))
    return "\n".join(lines)


def document(results: Sequence[Result]) -> str:
    """Return the contents of RESULTS.md."""
    measured = f"Measured on {datetime.now(UTC):%Y-%m-%d}: {description()}."
    return f"# Measured beside peers\n\n{_METHOD}\n\n{measured}\n\n{table(results)}\n"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
