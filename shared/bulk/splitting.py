"""Rows cut out of a file that arrives in pieces, each with the number of the line on which it starts."""

from typing import NamedTuple

MOST_ROW_BYTES = 64 * 1024
"""A larger row is not kept, and known to be too large."""


class RawRow(NamedTuple):
    """The bytes of one row without its line end; None when they were too many."""

    line: int
    content: bytes | None


class Splitter:
    """Cuts rows at line feeds; with `quoted`, not at those between double quotes (RFC 4180, rule 6)."""

    def __init__(self, *, quoted: bool) -> None:
        self._quoted = quoted
        self._line = self._start = 1
        self._kept: list[bytes] = []
        self._size = 0
        self.open_quote = False

    @property
    def start(self) -> int:
        """The line on which the present row starts."""
        return self._start

    def feed(self, piece: bytes) -> list[RawRow]:
        """Return the rows that end in `piece`."""
        *ended, rest = piece.split(b"\n")
        rows = [row for part in ended if (row := self._end_line(part))]
        self._keep(rest)
        return rows

    def finish(self) -> list[RawRow]:
        """Return the last row, if it had no line end."""
        return [self._row()] if self._size else []

    def _end_line(self, part: bytes) -> RawRow | None:
        self._keep(part)
        self._line += 1
        if self.open_quote:
            self._keep(b"\n")
            return None
        return self._row()

    def _keep(self, part: bytes) -> None:
        if self._quoted and part.count(b'"') % 2:
            self.open_quote = not self.open_quote
        self._size += len(part)
        if self._size <= MOST_ROW_BYTES:
            self._kept.append(part)

    def _row(self) -> RawRow:
        fits = self._size <= MOST_ROW_BYTES
        row = RawRow(self._start, b"".join(self._kept) if fits else None)
        self._kept.clear()
        self._size, self._start = 0, self._line
        return row
