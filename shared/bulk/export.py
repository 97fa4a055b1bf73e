"""HTTP in and out of exports, whatever is exported."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from litestar.openapi.spec import OpenAPIType, Operation, Parameter, Schema
from litestar.response import Stream

from shared.bulk.writing import CsvWriter, NdjsonWriter, RowWriter
from shared.conversion import query_fields, to_struct
from shared.errors import FieldError, InvalidInput
from shared.head import is_head
from shared.listing import ListQuery
from shared.openapi import with_query
from shared.request import JsonRequest

Q = TypeVar("Q", bound=ListQuery)

PAGING = ListQuery.__struct_fields__

_FORMATS = (CsvWriter.extension, NdjsonWriter.extension)
_DESCRIPTION = "csv or ndjson; without it the header Accept decides, and csv where that does not."


@dataclass
class ExportOperation(Operation):
    """An operation that can answer in either format."""

    def __post_init__(self) -> None:
        schema = Schema(type=OpenAPIType.STRING, enum=[*_FORMATS])
        chosen = Parameter(name="format", param_in="query", description=_DESCRIPTION, schema=schema)
        self.parameters = [*(self.parameters or []), chosen]


def export_operation(type_: type[ListQuery]) -> type[Operation]:
    """Return the class of an operation that exports what a list with this query shows."""
    return with_query(type_, ExportOperation, without=PAGING)


def read_export(request: JsonRequest, listing: type[Q], row: type[msgspec.Struct]) -> tuple[Q, RowWriter]:
    """Return which rows are asked for, by the filters of their list, and what writes them.

    Raises:
        InvalidInput: for unknown filters, and for what pages a list: an export has everything.
    """
    fields = query_fields(request.scope["query_string"])
    chosen = fields.pop("format", None) or _accepted(request)
    if chosen not in _FORMATS:
        raise InvalidInput(details=[FieldError("format", f"must be {' or '.join(_FORMATS)}")])
    paging = [name for name in PAGING if name in fields]
    if paging:
        problem = "is not for an export, which has all rows, in the order they were made"
        raise InvalidInput(details=[FieldError(name, problem) for name in paging])
    query = to_struct(fields, listing, strict=False)
    return query, NdjsonWriter() if chosen == NdjsonWriter.extension else CsvWriter(row)


async def export_response(
    request: JsonRequest, name: str, writer: RowWriter, chunks: AsyncIterator[Sequence[msgspec.Struct]]
) -> Stream:
    """Answer with rows as they are read; a failure of the first ones is answered in the envelope.

    There is at least one chunk, which may be empty. HEAD is answered as GET would be, and reads no more.
    """
    first = await anext(chunks)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{writer.extension}"'}
    written = _nothing() if is_head(request.scope) else _written(writer, first, chunks)
    return Stream(written, media_type=writer.media_type, headers=headers)


async def _nothing() -> AsyncIterator[bytes]:
    yield b""


async def _written(
    writer: RowWriter, first: Sequence[msgspec.Struct], others: AsyncIterator[Sequence[msgspec.Struct]]
) -> AsyncIterator[bytes]:
    yield writer.head() + writer.rows(first)
    async for rows in others:
        yield writer.rows(rows)


def _accepted(request: JsonRequest) -> str:
    accepted = request.header(b"accept") or ""
    wants_ndjson = NdjsonWriter.media_type in accepted and CsvWriter.media_type not in accepted
    return NdjsonWriter.extension if wants_ndjson else CsvWriter.extension
