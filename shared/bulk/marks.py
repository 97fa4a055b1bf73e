"""Finding out what each staged row comes to, before anything is changed by it."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from shared.bulk.imports import Job
from shared.bulk.kind import Kind
from shared.bulk.reading import ROW
from shared.bulk.schema import MOST_ERRORS, Problems, RowError
from shared.bulk.transactions import Statements
from shared.errors import FieldError, GeraiError

_COMPARED_AT_ONCE = 300
_PARENTS_AT_ONCE = 500

_UNMARK = """
    UPDATE import_rows SET action = NULL, target = NULL, version = NULL, merged = NULL
    WHERE import_uuid = $1 AND action IS NOT NULL
"""
_STAGED = "SELECT count(*) FROM import_rows WHERE import_uuid = $1"
_REPEATED = """
    WITH ranked AS (
        SELECT line, first_value(line) OVER (PARTITION BY parent, key ORDER BY line) AS first
        FROM import_rows WHERE import_uuid = $1 AND action IS NULL
    ), repeated AS MATERIALIZED (SELECT line, first FROM ranked WHERE first < line), marked AS (
        UPDATE import_rows SET action = 'failed'
        WHERE import_uuid = $1 AND line = ANY (ARRAY(SELECT line FROM repeated))
    )
    SELECT line, first, count(*) OVER () AS total FROM repeated ORDER BY line LIMIT $2
"""
_PARENTS = """
    SELECT DISTINCT parent FROM import_rows
    WHERE import_uuid = $1 AND parent > $2 ORDER BY parent LIMIT $3
"""
_OF_PARENTS = """
    WITH marked AS (
        UPDATE import_rows SET action = 'failed'
        WHERE import_uuid = $1 AND parent = ANY ($2::uuid[]) AND action IS DISTINCT FROM 'failed'
        RETURNING line, parent
    )
    SELECT line, parent, count(*) OVER () AS total FROM marked ORDER BY line LIMIT $3
"""
_CREATING = """
    WITH marked AS (
        UPDATE import_rows SET action = 'failed' WHERE import_uuid = $1 AND action IS NULL RETURNING line
    )
    SELECT line, count(*) OVER () AS total FROM marked ORDER BY line LIMIT $2
"""
SETTLE = """
    UPDATE import_rows r SET action = s.action, target = s.target, version = s.version, merged = s.merged
    FROM unnest($2::bigint[], $3::text[], $4::uuid[], $5::bigint[], $6::json[])
        AS s(line, action, target, version, merged)
    WHERE r.import_uuid = $1 AND r.line = ANY ($2) AND r.line = s.line
"""
_COUNTS = """
    SELECT count(*) FILTER (WHERE action IS NULL) AS created,
           count(*) FILTER (WHERE action = 'change') AS changed,
           count(*) FILTER (WHERE action = 'unchanged') AS unchanged
    FROM import_rows WHERE import_uuid = $1
"""

_AGAIN = "UPDATE import_rows SET action = NULL WHERE import_uuid = $1 AND line = ANY ($2::bigint[])"
_CREATED_ANEW = """
    SELECT line FROM import_rows WHERE import_uuid = $1 AND line = ANY ($2::bigint[]) AND action IS NULL
"""

_NONE = UUID(int=0)


class Counts(NamedTuple):
    """How many rows come to what."""

    created: int
    changed: int
    unchanged: int


class Marks:
    """Marks the staged rows of one import: `failed`, `unchanged`, `change`, or nothing for a creation."""

    def __init__(self, kind: Kind, job: Job, problems: Problems) -> None:
        self._kind = kind
        self._job = job
        self._problems = problems

    async def begin(self, statements: Statements) -> bool:
        """Take off the marks of a worker that vanished; tell whether every row is there."""
        await statements.rows(_UNMARK, self._job.uuid)
        return (await statements.row(_STAGED, self._job.uuid))["count"] == self._job.staged

    async def repeated(self, statements: Statements) -> None:
        """Fail rows whose key an earlier row has."""
        rows = await statements.rows(_REPEATED, self._job.uuid, MOST_ERRORS)
        field = self._kind.duplicate.field
        self._fail(
            rows, lambda row: FieldError(field, f"is the same as in line {row['first']}, which counts")
        )

    async def existing(self, statements: Statements) -> None:
        """Fail rows whose key exists."""
        rows = await statements.rows(self._kind.table.mark_existing, self._job.uuid, MOST_ERRORS)
        self._fail(rows, lambda _: self._kind.duplicate)

    async def creating(self, statements: Statements) -> None:
        """Fail rows that would create, if the caller may not."""
        refusal = self._kind.may_create(self._job.tenant)
        if refusal:
            rows = await statements.rows(_CREATING, self._job.uuid, MOST_ERRORS)
            self._fail(rows, lambda _: refusal)

    async def parents(self, statements: Statements, after: UUID = _NONE) -> list[UUID]:
        """Return some of the parents that rows have, in order, beginning after one; none at the end."""
        rows = await statements.rows(_PARENTS, self._job.uuid, after, _PARENTS_AT_ONCE)
        return [UUID(int=row["parent"].int) for row in rows]

    async def of_parents(self, statements: Statements, refused: Mapping[UUID, FieldError]) -> None:
        """Fail the rows of parents within which nothing may be created or changed."""
        rows = await statements.rows(_OF_PARENTS, self._job.uuid, list(refused), MOST_ERRORS)
        self._fail(rows, lambda row: refused[UUID(int=row["parent"].int)])

    async def again(self, statements: Statements, lines: Sequence[int]) -> list[int]:
        """Make out anew what these rows come to; return those that create."""
        if not lines:
            return []
        await statements.rows(_AGAIN, self._job.uuid, lines)
        last = 0
        while last := await self.matching(statements, last, lines):
            pass
        await self.creating(statements)
        return [row["line"] for row in await statements.rows(_CREATED_ANEW, self._job.uuid, lines)]

    async def matching(self, statements: Statements, after: int, lines: Sequence[int] | None = None) -> int:
        """Make out what some rows change that exists, beginning after a line; return the last one, or 0."""
        tenant, limit = self._job.tenant, _COMPARED_AT_ONCE
        rows = await statements.rows(self._kind.table.matches, self._job.uuid, after, lines, tenant, limit)
        if not rows:
            return 0
        settled = [self._settled(row) for row in rows if row["current"] is not None]
        if settled:
            await statements.rows(SETTLE, self._job.uuid, *map(list, zip(*settled, strict=True)))
        return rows[-1]["line"]

    async def counts(self, statements: Statements) -> Counts:
        """Return how many rows come to what."""
        return Counts(*await statements.row(_COUNTS, self._job.uuid))

    def fail_existing(self, lines: Sequence[int]) -> None:
        """Note that these rows cannot be created: what has their key came into being meanwhile."""
        duplicate = self._kind.duplicate
        errors = [RowError(line, duplicate.field, duplicate.message) for line in lines]
        self._problems.add(errors, total=len(errors), failed=len(errors))

    def _settled(self, row: asyncpg.Record) -> tuple[int, str, str | None, int | None, str | None]:
        """Return line, action, target, version and merged columns of a row whose key exists."""
        current = row["current"]
        try:
            merged = self._kind.merge(row["columns"], row["given"], current)
        except GeraiError as error:
            details = error.details or [FieldError(ROW, error.message)]
            errors = [RowError(row["line"], each.field, each.message) for each in details]
            self._problems.add(errors, total=len(errors), failed=1)
            return row["line"], "failed", None, None, None
        if merged is None:
            return row["line"], "unchanged", None, None, None
        document = msgspec.json.encode(merged).decode()
        return row["line"], "change", current["uuid"], current["version"], document

    def _fail(self, rows: Sequence[asyncpg.Record], why: Callable[[asyncpg.Record], FieldError]) -> None:
        if rows:
            errors = [RowError(row["line"], (error := why(row)).field, error.message) for row in rows]
            self._problems.add(errors, total=rows[0]["total"], failed=rows[0]["total"])
