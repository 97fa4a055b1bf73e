"""What happened to the security of the platform: told by the changes of users, and by events beside them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, RowMapping, Select, func, select

from services.auth.model import metadata
from services.auth.schema import AuditEntry, AuditQuery
from shared.db import Database, WriteConnection
from shared.events.changes import NOT_PUBLISHED, SCHEMA_VERSION
from shared.identifiers import new_uuid
from shared.listing import Listing, Picked, fetch_page
from shared.sorting import Sorting
from shared.telemetry.context import current_request

_CHANGES = metadata.tables["changes"]
_SUBJECT = func.coalesce(_CHANGES.c.part_of, _CHANGES.c.aggregate_id)
_PLAIN = [name for name in AuditEntry.__struct_fields__ if name != "subject"]
_SHOWN = [*(_CHANGES.c[name] for name in _PLAIN), _SUBJECT.label("subject")]
_SORTING = Sorting({"occurred_at": _CHANGES.c.occurred_at}, unique=_CHANGES.c.id)


class AuditRepository:
    """Reads what happened, newest first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, query: AuditQuery) -> Listing[AuditEntry]:
        """Return a page of what `query` asks for."""
        filters = _filters(query)
        statement = _matching(query, filters)
        # One filter has an index in the order of time; of several, none has.
        picked = Picked(select(_CHANGES), is_search=False) if len(filters) > 1 else None
        page = await self._database.read(
            lambda connection: fetch_page(
                connection, statement, query, _SORTING, scope="audit", picked=picked
            )
        )
        return Listing([_entry(row) for row in page.items], page.meta)


class AuditWriter:
    """Adds events inside one transaction; they are no changes, and are not published."""

    def __init__(self, connection: WriteConnection, actor: str) -> None:
        self._connection = connection
        self._actor = actor

    async def record(self, type_: str, subject: UUID, *facts: Mapping[str, str | int]) -> None:
        """Record what happened to the user `subject`, once or for each of `facts`, which hold no secret."""
        rows = [self._row(type_, subject, each) for each in facts or (None,)]
        await self._connection.execute(_CHANGES.insert(), rows)

    def _row(self, type_: str, subject: UUID, facts: Mapping[str, str | int] | None) -> dict[str, object]:
        request = current_request()
        return {
            "event_id": new_uuid(),
            "aggregate_type": "user",
            "aggregate_id": subject,
            "version": NOT_PUBLISHED,
            "type": type_,
            "schema_version": SCHEMA_VERSION,
            "actor": self._actor,
            "request_id": request.request_id if request else None,
            "after": dict(facts) if facts else None,
            "occurred_at": datetime.now(UTC),
        }


def _filters(query: AuditQuery) -> list[ColumnElement[bool]]:
    plain: dict[ColumnElement[str] | ColumnElement[UUID], str | UUID | None] = {
        _CHANGES.c.actor: query.actor,
        _SUBJECT: query.subject,
        _CHANGES.c.type: query.type,
    }
    return [column == value for column, value in plain.items() if value is not None]


def _matching(query: AuditQuery, filters: list[ColumnElement[bool]]) -> Select[tuple[object, ...]]:
    statement = select(*_SHOWN).where(*filters)
    if query.since is not None:
        statement = statement.where(_CHANGES.c.occurred_at >= query.since)
    if query.until is not None:
        statement = statement.where(_CHANGES.c.occurred_at < query.until)
    return statement


def _entry(row: RowMapping) -> AuditEntry:
    return msgspec.convert({name: row[name] for name in AuditEntry.__struct_fields__}, AuditEntry)
