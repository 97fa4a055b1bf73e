"""Recording what changes, in the transaction that changes it."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec
from sqlalchemy import text

from shared.db import WriteConnection
from shared.identifiers import new_uuid
from shared.telemetry.context import current_request
from shared.telemetry.tracing import inject_trace_context

SYSTEM = "system"
"""The actor of what no caller asked for."""

SCHEMA_VERSION = 1

NOT_PUBLISHED = 0
"""The version of what is told in the table of changes but is no change of an aggregate."""

_MOST_ANNOUNCED = 10_000

_RECORD = text(
    """
    WITH recorded AS (
        INSERT INTO changes (event_id, aggregate_type, aggregate_id, part_of, version, type, schema_version,
                             actor, request_id, before, after, traceparent, tracestate, occurred_at)
        VALUES (:event_id, :aggregate_type, :aggregate_id, :part_of, :version, :type, :schema_version,
                :actor, :request_id, CAST(:before AS jsonb), CAST(:after AS jsonb), :traceparent,
                :tracestate, :occurred_at)
        RETURNING id
    )
    INSERT INTO outbox (change_id) SELECT id FROM recorded
    """
)


class Aggregate(Protocol):
    """What changes are recorded of: a struct as the API shows it."""

    @property
    def uuid(self) -> UUID: ...  # noqa: D102 - its id

    @property
    def version(self) -> int: ...  # noqa: D102 - 1 when created, one more with each change


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one aggregate; `before` and `after` are what the API showed and shows of it.

    `part_of` is the aggregate that this one is part of and in whose history it is told; None for most.
    """

    event_id: UUID
    aggregate_type: str
    aggregate_id: UUID
    part_of: UUID | None = None
    version: int
    type: str
    schema_version: int = SCHEMA_VERSION
    actor: str
    request_id: str | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    traceparent: str | None = None
    tracestate: str | None = None
    occurred_at: datetime


class ChangeRecorder:
    """Records the changes of one transaction, so that they are published when it commits and only then."""

    def __init__(
        self, connection: WriteConnection, aggregate_type: str, actor: str, part_of: UUID | None = None
    ) -> None:
        self._connection = connection
        self._aggregate_type = aggregate_type
        self._actor = actor
        self._part_of = part_of
        self.recorded: list[Change] = []

    def of_parts(self, aggregate_type: str, whole: UUID) -> "ChangeRecorder":
        """Return what records changes of parts of the aggregate `whole` among those of this recorder."""
        recorder = ChangeRecorder(self._connection, aggregate_type, self._actor, whole)
        recorder.recorded = self.recorded
        return recorder

    async def created(self, after: Aggregate) -> None:
        """Record that an aggregate began."""
        await self._record([self._change("created", None, after)])

    async def changed(self, before: Aggregate, after: Aggregate) -> None:
        """Record that an aggregate became another."""
        await self._record([self._change("changed", before, after)])

    async def deleted(self, *before: Aggregate) -> None:
        """Record that aggregates ended, their version becoming one more."""
        if before:
            await self._record([self._change("deleted", each, None) for each in before])

    async def _record(self, changes: Sequence[Change]) -> None:
        await self._connection.execute(_RECORD, [_row(change) for change in changes])
        self.recorded += changes

    def _change(self, verb: str, before: Aggregate | None, after: Aggregate | None) -> Change:
        request, trace = current_request(), dict[str, str]()
        inject_trace_context(trace)
        uuid, version = (after.uuid, after.version) if after else _ended(before)
        return Change(
            event_id=new_uuid(),
            aggregate_type=self._aggregate_type,
            aggregate_id=uuid,
            part_of=self._part_of,
            version=version,
            type=f"{self._aggregate_type}.{verb}",
            actor=self._actor,
            request_id=request.request_id if request else None,
            before=msgspec.to_builtins(before) if before else None,
            after=msgspec.to_builtins(after) if after else None,
            traceparent=trace.get("traceparent"),
            tracestate=trace.get("tracestate"),
            occurred_at=datetime.now(UTC),
        )


class Announced:
    """The changes whose writers in this process end what is cached of them, until they are published.

    Without it each write would end cached answers twice, the second time those from after it.
    """

    def __init__(self) -> None:
        self._ids: dict[UUID, Change | None] = {}

    @contextmanager
    def surrounding(self) -> Generator[Callable[[Sequence[Change]], None]]:
        """Surround a writer's work; it notes its changes before they are committed.

        They are forgotten when the block fails, for then it may have ended before the cache was told.
        """
        noted = list[Change]()

        def note(changes: Sequence[Change]) -> None:
            noted.extend(changes)
            self._note(changes)

        try:
            yield note
        except BaseException:
            self.others(noted)
            raise

    def others(self, changes: Sequence[Change]) -> list[Change]:
        """Return the changes that were not noted, and forget those that were."""
        return [change for change in changes if self._ids.pop(change.event_id, change) is change]

    def _note(self, changes: Sequence[Change]) -> None:
        self._ids.update(dict.fromkeys((change.event_id for change in changes), None))
        for oldest in list(self._ids)[: max(0, len(self._ids) - _MOST_ANNOUNCED)]:
            del self._ids[oldest]


def _ended(before: Aggregate | None) -> tuple[UUID, int]:
    if before is None:
        raise TypeError("a change needs what was before or what is after")
    return before.uuid, before.version + 1


def _row(change: Change) -> dict[str, Any]:
    return msgspec.structs.asdict(change) | {"before": _json(change.before), "after": _json(change.after)}


def _json(shown: dict[str, Any] | None) -> str | None:
    return None if shown is None else msgspec.json.encode(shown).decode()
