"""Rows written as CSV (RFC 4180) or NDJSON."""

import csv
import io
from collections.abc import Sequence
from typing import Protocol

import msgspec

from shared.bulk.formulas import neutralised

_ENCODER = msgspec.json.Encoder()


class RowWriter(Protocol):
    """Writes rows that are structs of one type."""

    media_type: str
    extension: str

    def head(self) -> bytes:
        """Return what comes before the first row."""
        ...

    def rows(self, rows: Sequence[msgspec.Struct]) -> bytes:
        """Return some rows."""
        ...


class CsvWriter(RowWriter):
    """Writes CSV; no text in it is a formula to a spreadsheet, and `shared.bulk.reading` reads it back."""

    media_type = "text/csv"
    extension = "csv"

    def __init__(self, type_: type[msgspec.Struct]) -> None:
        self._names = type_.__struct_fields__

    def head(self) -> bytes:
        """Return the names of the columns."""
        return _csv([self._names])

    def rows(self, rows: Sequence[msgspec.Struct]) -> bytes:
        """Return some rows."""
        return _csv([[_cell(getattr(row, name)) for name in self._names] for row in rows])


class NdjsonWriter(RowWriter):
    """Writes a JSON object on each line."""

    media_type = "application/x-ndjson"
    extension = "ndjson"

    def head(self) -> bytes:
        """Return nothing."""
        return b""

    def rows(self, rows: Sequence[msgspec.Struct]) -> bytes:
        """Return some rows."""
        return _ENCODER.encode_lines(rows)


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cell(value: object) -> str:
    if isinstance(value, str):
        return neutralised(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(msgspec.to_builtins(value))
