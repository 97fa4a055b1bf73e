"""Every statement on imports: what was asked for, who works on it, what came of it.

A worker has an import for as long as its lease, which it renews. One that has lost it finds another owner
when it comes to apply the rows, and lets go.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, MetaData, RowMapping, and_, func, or_, select

from shared.bulk.errors import ImportNotFound
from shared.bulk.metrics import ImportMetrics
from shared.bulk.schema import Import, ImportQuery, Problems, RowError
from shared.bulk.tables import import_tables
from shared.bulk.transactions import long_transaction
from shared.db import Database
from shared.idempotency.attempts import once
from shared.identifiers import new_uuid
from shared.security.principal import Principal
from shared.telemetry.context import current_request
from shared.telemetry.tracing import inject_trace_context

logger = logging.getLogger("gerai.bulk")

LEASE = timedelta(seconds=15)
ARRIVAL = timedelta(minutes=5)
"""How long an upload may rest before what has arrived of it is removed."""

KEPT = timedelta(days=30)
"""How long a finished import can be looked at."""

MOST_ATTEMPTS = 3
_STAGED_COLUMNS = ("import_uuid", "line", "parent", "key", "columns", "given")
_REMOVED_AT_ONCE = 10_000

_imports, _rows = import_tables(MetaData())
_c = _imports.c
_SHOWN = [_c[name] for name in Import.__struct_fields__]
_OPEN = ("queued", "running", "applied")

StagedRow = tuple[UUID, int, UUID | None, str, str, list[str] | None]
"""The values of _STAGED_COLUMNS."""

_PRUNE_ROWS = """
    DELETE FROM import_rows WHERE (import_uuid, line) IN (
        SELECT import_uuid, line FROM import_rows r WHERE NOT EXISTS (
            SELECT 1 FROM imports i WHERE i.uuid = r.import_uuid AND i.state NOT IN ('completed', 'failed')
        ) LIMIT $1
    )
"""


class Job(NamedTuple):
    """An import that a worker has."""

    uuid: UUID
    actor: str
    tenant: UUID | None
    mode: str
    atomic: bool
    dry_run: bool
    state: str
    staged: int
    failed: int
    errors: list[Any]
    errors_total: int
    request_id: str | None
    traceparent: str | None
    tracestate: str | None
    attempts: int

    def problems(self) -> Problems:
        """Return what was found wrong when the file was read."""
        errors = msgspec.convert(self.errors, list[RowError])
        return Problems(errors, self.errors_total, self.failed)


class Imports:
    """The imports of one service. `owner` is this process as a worker."""

    def __init__(self, database: Database, metrics: ImportMetrics | None = None) -> None:
        self.database = database
        self.metrics = metrics or ImportMetrics("unknown")
        self.owner = new_uuid()

    async def begin(self, principal: Principal, query: ImportQuery) -> UUID:
        """Note that a file begins to arrive, and return its import's id."""
        uuid, request, trace = new_uuid(), current_request(), dict[str, str]()
        inject_trace_context(trace)
        values = {
            **msgspec.structs.asdict(query),
            "uuid": uuid,
            "actor": principal.subject,
            "tenant": principal.client_uuid,
            "leased_until": func.now() + ARRIVAL,
            "request_id": request.request_id if request else None,
            "traceparent": trace.get("traceparent"),
            "tracestate": trace.get("tracestate"),
        }
        async with self.database.transaction() as connection:
            await connection.execute(_imports.insert().values(**values))
        return uuid

    async def stage(self, uuid: UUID, rows: Sequence[StagedRow]) -> None:
        """Add rows of a file that arrives."""
        async with long_transaction(self.database) as statements:
            arrival = "UPDATE imports SET leased_until = now() + $2 WHERE uuid = $1"
            await statements.rows(arrival, uuid, ARRIVAL)
            await statements.driver.copy_records_to_table(
                "import_rows", records=rows, columns=_STAGED_COLUMNS
            )

    async def enqueue(self, uuid: UUID, rows: int, staged: int, problems: Problems) -> Import:
        """Hand a file that has arrived to the workers, once for each idempotency key; return its import."""
        values = {"state": "queued", "rows": rows, "staged": staged, "leased_until": None}
        statement = _imports.update().where(_c.uuid == uuid, _c.state == "receiving")
        queued = statement.values(**values, **problems.columns()).returning(*_SHOWN)
        async with self.database.transaction() as connection:

            async def create() -> Import:
                row = (await connection.execute(queued)).mappings().one_or_none()
                if row is None:  # it rested for too long, and was removed
                    raise ImportNotFound(uuid=uuid)
                return _import(row)

            return await once(connection, create)

    async def abandon(self, uuid: UUID) -> None:
        """Forget a file that did not arrive; its rows are removed by the next `prune`."""
        async with self.database.transaction() as connection:
            await connection.execute(_imports.delete().where(_c.uuid == uuid, _c.state == "receiving"))

    async def find(self, uuid: UUID, tenant: UUID | None) -> Import | None:
        """Return the import of this id that `tenant` may see."""
        visible = [_c.tenant == tenant] if tenant else []
        statement = select(*_SHOWN).where(_c.uuid == uuid, _c.state != "receiving", *visible)
        async with self.database.reading(primary=True) as connection:
            row = (await connection.execute(statement)).mappings().one_or_none()
        return _import(row) if row else None

    async def claim(self) -> Job | None:
        """Take the oldest import that waits for a worker, or whose worker has vanished; None without one."""
        # A lease that seems to be longer than any is was taken before the database's clock was set back.
        held = _c.leased_until.between(func.now(), func.now() + 2 * LEASE)
        free = or_(_c.leased_until.is_(None), ~held)
        oldest = select(_c.uuid).where(_c.state.in_(_OPEN), free).order_by(_c.created_at).limit(1)
        values = {
            "state": func.coalesce(func.nullif(_c.state, "queued"), "running"),
            "owner": self.owner,
            "leased_until": func.now() + LEASE,
            "attempts": _c.attempts + 1,
            "started_at": func.coalesce(_c.started_at, func.now()),
        }
        # An import that is being applied is locked.
        taken = _imports.update().where(_c.uuid == oldest.with_for_update(skip_locked=True).scalar_subquery())
        async with self.database.transaction() as connection:
            taking = taken.values(**values).returning(*(_c[name] for name in Job._fields))
            row = (await connection.execute(taking)).one_or_none()
        return Job(*row) if row else None

    async def renew(self, uuid: UUID) -> bool:
        """Lengthen the lease of an import that this worker has; tell whether it still has it."""
        return await self._update(uuid, leased_until=func.now() + LEASE)

    async def hand_back(self, uuid: UUID, pause: timedelta | None = None) -> None:
        """Let others have the import, perhaps after a pause; that this worker had it does not count."""
        until = func.now() + pause if pause else None
        state = func.coalesce(func.nullif(_c.state, "running"), "queued")
        await self._update(uuid, state=state, owner=None, leased_until=until, attempts=0)

    async def finish(self, uuid: UUID, state: str = "completed", **values: object) -> None:
        """Note what came of an import, and that nothing is left to do."""
        done = {"owner": None, "leased_until": None, "finished_at": func.now(), "state": state}
        if await self._update(uuid, **done, **values):
            self.metrics.finished(state)
            fields = {"import": str(uuid), "state": state}
            logger.info("Finished an import", extra={"fields": fields})

    async def prune(self) -> None:
        """Remove uploads that rest, imports that are old, and the rows of all that are finished."""
        resting = and_(_c.state == "receiving", _c.leased_until < func.now())
        old = and_(_c.state.in_(("completed", "failed")), _c.created_at < func.now() - KEPT)
        async with self.database.transaction() as connection:
            await connection.execute(_imports.delete().where(or_(resting, old)))
        removed = _REMOVED_AT_ONCE
        while removed == _REMOVED_AT_ONCE:
            async with long_transaction(self.database) as statements:
                status = await statements.driver.execute(_PRUNE_ROWS, _REMOVED_AT_ONCE)
            removed = int(status.rpartition(" ")[2])

    async def _update(self, uuid: UUID, **values: object) -> bool:
        async with self.database.transaction() as connection:
            statement = _imports.update().where(*self._own(uuid)).values(**values)
            return (await connection.execute(statement)).rowcount == 1

    def _own(self, uuid: UUID) -> list[ColumnElement[bool]]:
        return [_c.uuid == uuid, _c.owner == self.owner, _c.state.in_(_OPEN)]


def _import(row: RowMapping) -> Import:
    shown = {name: row[name] for name in Import.__struct_fields__}
    if shown["state"] == "applied":  # what is cached from before may still be served
        shown |= {"state": "running", "created": 0, "changed": 0, "unchanged": 0}
    return msgspec.convert(shown, Import)
