"""Takes a file in: reads its rows as they arrive and stages those that are in order."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from shared.bulk.errors import ImportNotFound, TooManyRows, UploadTooSlow
from shared.bulk.imports import Imports, StagedRow
from shared.bulk.kind import Kind, Row
from shared.bulk.reading import ROW, Columns, CsvReader, NdjsonReader, ReadRow, RowReader
from shared.bulk.schema import Import, ImportQuery, Problems, RowError
from shared.errors import FieldError, GeraiError
from shared.security.principal import Principal

MOST_ROWS = 1_000_000
UPLOAD_SECONDS = 3600
IGNORED = ("uuid", "version", "created_at", "updated_at")
"""What exports tell of a row and nobody can set."""

_PIECE_BYTES = 64 * 1024
_STAGED_AT_ONCE = 2_000

READERS: dict[str, type[CsvReader] | type[NdjsonReader]] = {
    "text/csv": CsvReader,
    "application/x-ndjson": NdjsonReader,
}


class Upload(NamedTuple):
    """A file that arrives: its media type and its pieces."""

    media_type: str
    pieces: AsyncIterator[bytes]


class Intake:
    """Makes imports of files of one kind."""

    def __init__(self, imports: Imports, kind: Kind) -> None:
        self._imports = imports
        self._kind = kind
        self._columns = Columns(kind.creation, IGNORED)

    async def receive(self, principal: Principal, query: ImportQuery, upload: Upload) -> Import:
        """Stage the rows of a file and return its import, which then waits for a worker.

        Raises:
            MalformedBody: when the file cannot be read.
            InvalidInput: when it has not the columns that are needed, or others.
            TooManyRows: when it has more than a million.
            UploadTooSlow: when it takes longer than an hour.
        """
        uuid = await self._imports.begin(principal, query)
        try:
            rows = self._rows(principal, query, upload, uuid)
            async with asyncio.timeout(UPLOAD_SECONDS):
                await self._stage(uuid, upload.pieces, rows)
            return await self._imports.enqueue(uuid, rows.count, rows.staged, rows.problems)
        except BaseException as failure:
            await asyncio.shield(asyncio.create_task(self._imports.abandon(uuid)))
            if isinstance(failure, TimeoutError):
                raise UploadTooSlow(minutes=UPLOAD_SECONDS // 60) from None
            raise

    async def find(self, principal: Principal, uuid: UUID) -> Import:
        """Return an import of the caller's tenant, raising ImportNotFound when there is none."""
        found = await self._imports.find(uuid, principal.client_uuid)
        if found is None:
            raise ImportNotFound(uuid=uuid)
        return found

    def _rows(self, principal: Principal, query: ImportQuery, upload: Upload, uuid: UUID) -> "_Rows":
        reader = READERS[upload.media_type](self._columns)
        return _Rows(self._kind, principal, reader, uuid, upserts=query.mode == "upsert")

    async def _stage(self, uuid: UUID, pieces: AsyncIterator[bytes], rows: "_Rows") -> None:
        """Read and check rows while those before them are copied."""
        copying: asyncio.Task[None] | None = None
        try:
            async for piece in _gathered(pieces):
                # Not in the event loop: a piece is some ten milliseconds' work.
                await asyncio.to_thread(rows.read, piece)
                if len(rows.ready) >= _STAGED_AT_ONCE:
                    if copying:
                        await copying
                    copying = asyncio.create_task(self._imports.stage(uuid, rows.take()))
            rows.finish()
        finally:
            if copying:
                await copying
        await self._imports.stage(uuid, rows.take())


class _Rows:
    """The rows of one file on their way from its bytes to the staging table."""

    def __init__(
        self, kind: Kind, principal: Principal, reader: RowReader, uuid: UUID, *, upserts: bool
    ) -> None:
        self.count = 0
        self.staged = 0
        self.problems = Problems()
        self.ready: list[StagedRow] = []
        self._kind = kind
        self._principal = principal
        self._reader = reader
        self._uuid = uuid
        self._upserts = upserts

    def read(self, piece: bytes) -> None:
        """Read what arrived into `ready` and `problems`."""
        self._add(self._reader.feed(piece))

    def finish(self) -> None:
        """Read the last row."""
        self._add(self._reader.finish())

    def take(self) -> list[StagedRow]:
        """Return the rows that are ready to be staged, and begin anew."""
        taken, self.ready = self.ready, []
        return taken

    def _add(self, rows: Sequence[ReadRow]) -> None:
        self.count += len(rows)
        if self.count > MOST_ROWS:
            raise TooManyRows(limit=MOST_ROWS)
        for row in rows:
            problems = row.problems or self._prepare(row)
            if problems:
                self.problems.note([RowError(row.line, each.field, each.message) for each in problems])

    def _prepare(self, row: ReadRow) -> Sequence[FieldError]:
        """Make a row ready, or return what is wrong with it."""
        try:
            read = self._kind.read(self._principal, row.fields, strict=self._reader.strict)
        except GeraiError as error:
            return error.details or [FieldError(ROW, error.message)]
        problems = _too_long(read, self._kind.table.lengths)
        if not problems:
            given = list(row.fields) if self._upserts else None
            document = msgspec.json.encode(read.columns).decode()
            self.ready.append((self._uuid, row.line, read.parent, read.key, document, given))
            self.staged += 1
        return problems


def _too_long(row: Row, lengths: dict[str, int]) -> list[FieldError]:
    """Return the fields whose normal form outgrew the column."""
    return [
        FieldError(name, f"has more than {length} characters in its normal form (NFC)")
        for name, length in lengths.items()
        if (text := row.columns[name]) and len(text) > length
    ]


async def _gathered(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the same bytes in pieces that are worth the turn."""
    gathered, size = list[bytes](), 0
    async for piece in pieces:
        gathered.append(piece)
        size += len(piece)
        if size >= _PIECE_BYTES:
            yield b"".join(gathered)
            gathered, size = [], 0
    if gathered:
        yield b"".join(gathered)
