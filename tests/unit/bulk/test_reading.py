"""Reading files that arrive in pieces."""

import csv
import io
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bulk.formulas import neutralised, restored
from shared.bulk.reading import Columns, CsvReader, NdjsonReader, ReadRow, RowReader
from shared.bulk.splitting import MOST_ROW_BYTES, Splitter
from shared.errors import InvalidInput, MalformedBody


class Thing(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: str
    note: str | None = None
    zone: str = "UTC"


COLUMNS = Columns(Thing, ["uuid"])

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


def read(reader: RowReader, content: bytes, size: int = 7) -> list[ReadRow]:
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    return [*(row for piece in pieces for row in reader.feed(piece)), *reader.finish()]


def read_csv(content: str, size: int = 7) -> list[ReadRow]:
    return read(CsvReader(COLUMNS), content.encode(), size)


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1), st.sampled_from(["\n", "\r\n"]), st.integers(1, 40))
def test_what_a_csv_writer_writes_is_read(rows: list[tuple[str, str]], end: str, size: int) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(["name", "note"])
    writer.writerows([(neutralised(name), neutralised(note)) for name, note in rows])
    found = read_csv(text.getvalue(), size)
    assert [problem for row in found for problem in row.problems] == []
    expected: list[dict[str, Any]] = []
    for name, note in rows:
        fields = {"name": name.replace("\r\n", "\n"), "note": note.replace("\r\n", "\n") or None}
        expected.append(fields if name else {"note": fields["note"]})
    assert [row.fields for row in found] == expected


@given(TEXT)
def test_formulas_are_neutralised_and_come_back(text: str) -> None:
    cell = neutralised(text)
    assert restored(cell) == text
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize(
    ("text", "cell"), [("+62812", "'+62812"), ("'=1", "''=1"), ("'", "''"), ("a=b", "a=b"), ("", "")]
)
def test_cells(text: str, cell: str) -> None:
    assert neutralised(text) == cell
    assert restored(cell) == text


def test_what_people_type_stays() -> None:
    assert [restored(cell) for cell in ("'tis", "+62812", "=1")] == ["'tis", "+62812", "=1"]


def test_lines_are_those_on_which_rows_start() -> None:
    found = read_csv('name,note\n"a\nb",\n\n"c","d\r\n\r\n"\n"e",f\n')
    assert [row.line for row in found] == [2, 5, 8]
    assert found[1].fields == {"name": "c", "note": "d\n\n"}


def test_an_empty_cell_is_null_where_that_is_possible() -> None:
    (row,) = read_csv("name,note,zone,uuid\na,,,x\n")
    assert row.fields == {"name": "a", "note": None}


def test_quotes_that_never_end() -> None:
    with pytest.raises(MalformedBody, match="line 3"):
        read_csv('name\na\n"b\nc\n')


@pytest.mark.parametrize("header", ["note", "name,name", "name,colour", "Name", ""])
def test_columns_that_do_not_fit(header: str) -> None:
    with pytest.raises(InvalidInput):
        read_csv(f"{header}\n")


def test_nothing_at_all() -> None:
    with pytest.raises(MalformedBody, match="empty"):
        read_csv("")
    assert read(NdjsonReader(COLUMNS), b"") == []


def test_a_header_alone_has_no_rows() -> None:
    assert read_csv("name,note") == []


@given(st.lists(st.dictionaries(TEXT, TEXT, max_size=3)), st.integers(1, 40))
def test_ndjson_is_read(rows: list[dict[str, str]], size: int) -> None:
    content = b"\xef\xbb\xbf" + b"".join(msgspec.json.encode(row) + b"\r\n" for row in rows) + b"\n"
    found = read(NdjsonReader(COLUMNS), content, size)
    expected = [{name: value for name, value in row.items() if name != "uuid"} for row in rows]
    assert [row.fields for row in found] == expected
    assert [row.line for row in found] == list(range(1, len(rows) + 1))


def test_rows_that_are_too_large_are_not_kept() -> None:
    splitter = Splitter(quoted=False)
    for _ in range(100):
        assert splitter.feed(b"x" * 10_000) == []
    found = splitter.feed(b"\ny\n")
    assert [(row.line, row.content) for row in found] == [(1, None), (2, b"y")]
    assert [
        len(row.content or b"") for row in Splitter(quoted=False).feed(b"x" * MOST_ROW_BYTES + b"\n")
    ] == [MOST_ROW_BYTES]
