"""A report as text for a terminal: aligned, each topic with one line of what to do."""

from collections.abc import Iterator, Sequence

from infra.report.section import Answer, Column

_INDENT = "  "
_GAP = "  "
_SHORTEST = 20


def lines(answer: Answer, width: int) -> Iterator[str]:
    """Return the lines of one topic, no longer than `width` where the last column can be cut."""
    yield answer.title
    if answer.instead:
        yield from (f"{_INDENT}{line}" for line in _wrapped(answer.instead, width - len(_INDENT)))
        return
    yield from _table(answer, width)
    if answer.advice:
        yield f"{_INDENT}→ {answer.advice}"


def _table(answer: Answer, width: int) -> Iterator[str]:
    titles = [each.title for each in answer.columns]
    cells = [[each.show(row[each.name]) for each in answer.columns] for row in answer.rows]
    widths = [max(len(line[place]) for line in (titles, *cells)) for place in range(len(titles))]
    before = len(_INDENT) + sum(widths[:-1]) + len(_GAP) * (len(widths) - 1)
    widths[-1] = min(widths[-1], max(width - before, _SHORTEST))
    for line in (titles, *cells) if any(title.strip() for title in titles) else cells:
        yield _row(line, widths, answer.columns)


def _row(cells: Sequence[str], widths: Sequence[int], columns: Sequence[Column]) -> str:
    placed: list[str] = []
    for cell, width, column in zip(cells, widths, columns, strict=True):
        cut = cell if len(cell) <= width else f"{cell[: width - 1]}…"
        placed.append(cut.rjust(width) if column.numeric else cut.ljust(width))
    return (_INDENT + _GAP.join(placed)).rstrip()


def _wrapped(text: str, width: int) -> Iterator[str]:
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = ""
        line = f"{line} {word}".strip()
    yield line
