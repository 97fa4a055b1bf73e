"""Applying the rows of one import, all in one transaction."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from shared.bulk.imports import Job
from shared.bulk.kind import Kind
from shared.bulk.marks import Counts, Marks
from shared.bulk.schema import Problems
from shared.bulk.transactions import Statements
from shared.errors import FieldError

_APPLIED_AT_ONCE = 5_000
_MOST_ROUNDS = 5

_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(1651863915)"  # any number of our own
_OWN = "SELECT 1 FROM imports WHERE uuid = $1 AND owner = $2 AND state = 'running' FOR UPDATE"
# The rows of a chunk are joined with what became of them: thousands, where the planner expects one.
_JOINING = "SELECT set_config('enable_nestloop', $1, true)"
_APPLIED = """
    UPDATE imports SET state = 'applied', created = $2, changed = $3, unchanged = $4, failed = $5,
                       errors_total = $6, errors = $7::jsonb
    WHERE uuid = $1
"""


class Lost(Exception):
    """Another worker has the import by now."""


class Spoiled(Exception):
    """A row turned out bad, and the others were not to be applied then."""


class Unsettled(Exception):
    """Others create and delete what the rows are about all the time."""


class Refused(Exception):
    """Rows turned out to be refused at the last moment; nothing may be committed."""

    def __init__(self, parents: dict[UUID, FieldError]) -> None:
        self.parents = parents


class Applying:
    """Creates and changes what rows say, whatever others do meanwhile.

    What comes into being or changes between the making out of a row and its turn is made out anew, now
    locked.
    """

    def __init__(self, kind: Kind, job: Job, owner: UUID, problems: Problems) -> None:
        self._kind = kind
        self._job = job
        self._owner = owner
        self._problems = problems
        self._marks = Marks(kind, job, problems)

    async def run(self, statements: Statements) -> Counts:
        """Apply all rows in the transaction of `statements`, and return what they came to.

        Imports of one service are applied one after the other, lest two of them wait for one another.

        Raises:
            Lost: when another worker has the import.
            Spoiled: when a row is bad and none was to be applied then.
            Refused: when rows must not be applied after all.
            Unsettled: when others change the same rows all the time.
        """
        if not await statements.rows(_OWN, self._job.uuid, self._owner):
            raise Lost
        await statements.rows(_ONE_AT_A_TIME)
        counts = await self._rounds(statements)
        if self._job.atomic and self._problems.failed:
            raise Spoiled
        refused = await self._kind.hold(statements, self._job.uuid)
        if refused:
            raise Refused(dict(refused))
        await self._note(statements, counts)
        return counts

    async def _rounds(self, statements: Statements) -> Counts:
        created = changed = 0
        lines: list[int] | None = None
        for _ in range(_MOST_ROUNDS):
            done, taken = await self._all(statements, self._kind.table.create, lines)
            created += done
            if self._job.mode == "create":
                self._marks.fail_existing(taken)
                return Counts(created, 0, 0)
            left = await self._marks.again(statements, taken)
            done, moved = await self._all(statements, self._kind.table.change, lines)
            changed += done
            await self._marks.again(statements, moved)
            lines = [*left, *moved]
            if not lines:
                return Counts(created, changed, (await self._marks.counts(statements)).unchanged)
        raise Unsettled

    async def _all(
        self, statements: Statements, sql: str, lines: Sequence[int] | None
    ) -> tuple[int, list[int]]:
        """Apply rows chunk by chunk; return how many were, and the lines of those that were not."""
        job, total, missed, last = self._job, 0, list[int](), 0
        context = (job.actor, job.request_id, job.traceparent, job.tracestate)
        found = _APPLIED_AT_ONCE
        await statements.rows(_JOINING, "off")
        while found == _APPLIED_AT_ONCE:
            row = await statements.row(sql, job.uuid, last, lines, _APPLIED_AT_ONCE, *context)
            total += row["done"]
            missed += row["missed"] or []
            found, last = row["found"], row["last"]
        await statements.rows(_JOINING, "on")
        return total, missed

    async def _note(self, statements: Statements, counts: Counts) -> None:
        found = self._problems.columns()
        errors = msgspec.json.encode(found["errors"]).decode()
        totals = (found["failed"], found["errors_total"], errors)
        await statements.rows(_APPLIED, self._job.uuid, *counts, *totals)
