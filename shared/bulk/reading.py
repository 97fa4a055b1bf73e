"""Files in CSV (RFC 4180) or NDJSON, read row by row as they arrive."""

import csv
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import msgspec

from shared.bulk.formulas import restored
from shared.bulk.splitting import MOST_ROW_BYTES, RawRow, Splitter
from shared.errors import FieldError, InvalidInput, MalformedBody
from shared.request import parse_object

ROW = ""
"""The field of a problem that concerns a row as a whole."""

_BOM = b"\xef\xbb\xbf"
_TOO_LARGE = FieldError(ROW, f"is larger than {MOST_ROW_BYTES:,} bytes")
_NOT_UTF8 = "is not valid UTF-8"


class ReadRow(NamedTuple):
    """A row: the line on which it starts, its fields by name, and what keeps it from being read."""

    line: int
    fields: dict[str, Any]
    problems: Sequence[FieldError] = ()


class Columns:
    """The fields a row may have: those of a creation's struct, and `ignored` ones that only exports have."""

    def __init__(self, type_: type[msgspec.Struct], ignored: Collection[str]) -> None:
        fields = msgspec.structs.fields(type_)
        self.known = {field.encode_name for field in fields}
        self.required = [field.encode_name for field in fields if field.required]
        self.nullable = {field.encode_name for field in fields if field.default is None}
        self.ignored = frozenset(ignored)


class RowReader(ABC):
    """Reads a file that arrives in pieces: `feed` each of them, then `finish`.

    A row that cannot be read is returned with its problems. Both raise MalformedBody or InvalidInput when
    the file as a whole cannot be read.
    """

    strict: bool
    """Whether values have types of their own, rather than being text."""

    def __init__(self, columns: Columns, *, quoted: bool) -> None:
        self._columns = columns
        self._splitter = Splitter(quoted=quoted)
        self._begun = False

    def feed(self, piece: bytes) -> list[ReadRow]:
        """Return the rows that end in `piece`."""
        return self._read_all(self._splitter.feed(piece))

    def finish(self) -> list[ReadRow]:
        """Return the last row, if it had no line end."""
        if self._splitter.open_quote:
            line = self._splitter.start
            raise MalformedBody(reason=f"a double quote that is opened in the row of line {line} never ends")
        return self._read_all(self._splitter.finish())

    def _read_all(self, raw_rows: Sequence[RawRow]) -> list[ReadRow]:
        if raw_rows and not self._begun:
            raw_rows = self._begin(raw_rows)
        return [read for raw in raw_rows if (read := self._read(raw))]

    def _begin(self, raw_rows: Sequence[RawRow]) -> Sequence[RawRow]:
        """Take the byte order mark off the first row."""
        self._begun = True
        first, *others = raw_rows
        content = first.content.removeprefix(_BOM) if first.content else first.content
        return [RawRow(first.line, content), *others]

    def _read(self, raw: RawRow) -> ReadRow | None:
        """Return the row, None when it is blank."""
        if raw.content is None:
            return ReadRow(raw.line, {}, [_TOO_LARGE])
        if not raw.content or raw.content.isspace():
            return None
        return self._parsed(raw.line, raw.content)

    @abstractmethod
    def _parsed(self, line: int, content: bytes) -> ReadRow: ...


class CsvReader(RowReader):
    """CSV whose first row names the columns.

    An empty cell is null where that is possible, and counts as left out elsewhere.
    """

    strict = False

    def __init__(self, columns: Columns) -> None:
        super().__init__(columns, quoted=True)
        self._header: list[str] = []

    def finish(self) -> list[ReadRow]:
        """Return the last row, if it had no line end."""
        rows = super().finish()
        if not self._begun:
            raise MalformedBody(reason="it is empty")
        return rows

    def _begin(self, raw_rows: Sequence[RawRow]) -> Sequence[RawRow]:
        header, *rows = super()._begin(raw_rows)
        try:
            names = _cells((header.content or b"").decode())
        except (UnicodeDecodeError, csv.Error):
            raise MalformedBody(reason="its first row is not the names of columns in UTF-8") from None
        self._header = [name.strip() for name in names]
        self._require_columns(self._header)
        return rows

    def _require_columns(self, names: Sequence[str]) -> None:
        columns = self._columns
        unknown = [name for name in names if name not in columns.known | columns.ignored]
        repeated = sorted({name for name in names if names.count(name) > 1})
        missing = [name for name in columns.required if name not in names]
        problems = [FieldError(name, "is not a column that is known here") for name in unknown]
        problems += [FieldError(name, "is a column more than once") for name in repeated]
        problems += [FieldError(name, "is a column that is needed") for name in missing]
        if problems:
            raise InvalidInput(details=problems)

    def _parsed(self, line: int, content: bytes) -> ReadRow:
        try:
            cells = _cells(content.decode("utf-8", "surrogateescape"))
        except csv.Error as error:
            return ReadRow(line, {}, [FieldError(ROW, f"is not valid CSV: {error}")])
        if len(cells) != len(self._header):
            problem = f"has {len(cells)} cells where the first row names {len(self._header)} columns"
            return ReadRow(line, {}, [FieldError(ROW, problem)])
        values = dict(zip(self._header, cells, strict=True))
        problems = [] if content.isascii() else _undecoded(values)
        return ReadRow(line, {} if problems else self._fields(values), problems)

    def _fields(self, values: dict[str, str]) -> dict[str, Any]:
        ignored, nullable = self._columns.ignored, self._columns.nullable
        fields: dict[str, Any] = {}
        for name, cell in values.items():
            if name in ignored:
                continue
            if cell:
                # Line ends between quotes are those of the file.
                fields[name] = restored(cell.replace("\r\n", "\n") if "\r" in cell else cell)
            elif name in nullable:
                fields[name] = None
        return fields


class NdjsonReader(RowReader):
    """JSON objects, one on each line (https://github.com/ndjson/ndjson-spec)."""

    strict = True

    def __init__(self, columns: Columns) -> None:
        super().__init__(columns, quoted=False)

    def _parsed(self, line: int, content: bytes) -> ReadRow:
        try:
            fields = parse_object(content)
        except InvalidInput as error:
            return ReadRow(line, {}, error.details or [FieldError(ROW, error.message)])
        for name in self._columns.ignored.intersection(fields):
            del fields[name]
        return ReadRow(line, fields)


def _cells(text: str) -> list[str]:
    return [cell for cells in csv.reader([text], strict=True) for cell in cells]


def _undecoded(values: dict[str, str]) -> list[FieldError]:
    return [FieldError(name, _NOT_UTF8) for name, cell in values.items() if not _is_unicode(cell)]


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
