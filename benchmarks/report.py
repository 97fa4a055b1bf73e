"""Results as a table, on the terminal and in RESULTS.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks.machine import description
from benchmarks.rounds import Samples, ratio

RESULTS = Path(__file__).parent / "RESULTS.md"

_COLUMNS = ("figure", "ours", "peer", "ratio (min to max)", "goal", "met")
_QUIET_SHARE = 0.1
_METHOD = """\
Written by `./taskw bench -- --write`; `python -m benchmarks --help` says how each figure is measured.
Compare ratios: the figures themselves depend on the machine and on who else uses it."""


@dataclass(frozen=True)
class Result:
    """One figure beside its goal; `met` is None when it could not be measured.

    `others_share` is what other programs took of the core meanwhile.
    """

    figure: str
    ours: str
    peer: str
    ratio: str
    goal: str
    met: bool | None
    others_share: float = 0.0

    def cells(self) -> tuple[str, ...]:
        """Return the texts of a table row."""
        verdict = {True: "yes", False: "NO", None: "cannot tell"}[self.met]
        return (self.figure, self.ours, self.peer, self.ratio, self.goal, verdict)


def comparison(samples: Samples, ours: str, peer: str, least: float) -> Result:
    """Return how our speed compares with a peer's; the median ratio must reach `least`."""
    mine, its = (median(sample.per_cpu_second for sample in samples[name]) for name in (ours, peer))
    found = ratio(samples, ours, peer)
    return Result(
        f"{ours}, beside {peer}",
        f"{mine:,.0f}/s",
        f"{its:,.0f}/s",
        f"{found.middle:.2f}x ({found.low:.2f} to {found.high:.2f})",
        f">= {least}x",
        found.middle >= least,
        median(sample.others_share for sample in samples[ours]),
    )


def table(results: Sequence[Result]) -> str:
    """Return the results as a Markdown table that is easy to read as text as well."""
    rows = [_COLUMNS, *(result.cells() for result in results)]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = [_line(row, widths) for row in rows]
    lines.insert(1, _line(["-" * width for width in widths], widths))
    return "\n".join(lines)


def remarks(results: Sequence[Result]) -> str:
    """Return the machine, and how far it was ours, in a line."""
    others = max(result.others_share for result in results)
    quiet = "" if others < _QUIET_SHARE else ": measure again when the machine is quiet"
    return f"{description()}. Others took up to {others:.0%} of the measured core{quiet}."


def document(results: Sequence[Result]) -> str:
    """Return the contents of RESULTS.md."""
    date = f"{datetime.now(UTC):%Y-%m-%d}"
    return f"# Measured beside peers\n\n{_METHOD}\n\n{table(results)}\n\n{date}, {remarks(results)}\n"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
