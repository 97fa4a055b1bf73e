"""Which stores are open at an instant: each distinct schedule is evaluated once, not each store.

`schedule_digest`, `client_uuid` and `timezone` decide a store's schedule together (see `workhours`). Those of
the stores that other filters pick are looked at when these are few; otherwise the distinct ones of all, which
the index `stores_by_schedule` is jumped through for.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    LargeBinary,
    Row,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    func,
    literal,
    or_,
    select,
    text,
    tuple_,
)

from services.store.model import stores
from services.store.repository.client_hours import client_parts, client_parts_column
from services.store.repository.workhours import CLIENT_SOURCE, SOURCE
from shared.counting import SURELY_MORE, estimate_rows
from shared.db import ReadConnection
from shared.listing import MOST_CANDIDATES
from shared.schedules.known import OwnerSchedule, Parts
from shared.schedules.statements import parts_column

MOST_SCHEDULES = 10_000
"""How many distinct schedules are evaluated for a list."""

_NO_PARTS = Parts()

# A loose index scan: each step jumps to the next distinct schedule. It is ordered by all columns of the
# index, also by one that is null throughout: without it the planner sorts what it could read in order.
_ALL = text(
    """
    WITH RECURSIVE own AS (
        (SELECT schedule_digest, client_uuid, timezone, uuid FROM stores
         WHERE deleted_at IS NULL AND schedule_digest IS NOT NULL
         ORDER BY schedule_digest, client_uuid, timezone LIMIT 1)
        UNION ALL
        SELECT following.* FROM own CROSS JOIN LATERAL (
            SELECT schedule_digest, client_uuid, timezone, uuid FROM stores
            WHERE deleted_at IS NULL AND (schedule_digest, client_uuid, timezone)
                  > (own.schedule_digest, own.client_uuid, own.timezone)
            ORDER BY schedule_digest, client_uuid, timezone LIMIT 1
        ) following
    ), inherited AS (
        (SELECT schedule_digest, client_uuid, timezone, uuid FROM stores
         WHERE deleted_at IS NULL AND schedule_digest IS NULL
         ORDER BY schedule_digest, client_uuid, timezone LIMIT 1)
        UNION ALL
        SELECT following.* FROM inherited CROSS JOIN LATERAL (
            SELECT schedule_digest, client_uuid, timezone, uuid FROM stores
            WHERE deleted_at IS NULL AND schedule_digest IS NULL
                  AND (client_uuid, timezone) > (inherited.client_uuid, inherited.timezone)
            ORDER BY schedule_digest, client_uuid, timezone LIMIT 1
        ) following
    )
    SELECT schedule_digest, client_uuid, timezone, uuid FROM inherited
    UNION ALL
    SELECT schedule_digest, client_uuid, timezone, uuid FROM own
    LIMIT :most
    """
)


class _Kind(NamedTuple):
    """Stores with the same schedule, and one of them."""

    schedule_digest: bytes | None
    client_uuid: UUID
    timezone: str
    uuid: UUID


class Opening(NamedTuple):
    """The condition that a store is open; not whole when there are more schedules than are evaluated."""

    condition: ColumnElement[bool]
    is_whole: bool


async def opening(connection: ReadConnection, statement: Select[Any], at: datetime) -> Opening:
    """Return the condition under which the stores of `statement` are open at `at`."""
    kinds = await _kinds(connection, statement)
    known = kinds[:MOST_SCHEDULES]
    own, inherited = await _own_parts(connection, known), await _client_parts(connection, known)
    schedules = (
        OwnerSchedule(
            timezone=kind.timezone,
            is_active=True,
            source=SOURCE,
            own=own.get(kind.schedule_digest, _NO_PARTS),
            inherited_source=CLIENT_SOURCE,
            inherited=inherited.get(kind.client_uuid, _NO_PARTS),
        )
        for kind in known
    )
    found = [kind for kind, each in zip(known, schedules, strict=True) if each.is_open_at(at)]
    return Opening(and_(stores.c.is_active, _one_of(found)), len(kinds) <= MOST_SCHEDULES)


async def _kinds(connection: ReadConnection, statement: Select[Any]) -> list[_Kind]:
    if await estimate_rows(connection, statement) <= SURELY_MORE * MOST_CANDIDATES:
        rows = await _of_candidates(connection, statement)
        if not rows or rows[0][-1] <= MOST_CANDIDATES:
            return [_Kind(*row[:4]) for row in rows]
    rows = (await connection.execute(_ALL, {"most": MOST_SCHEDULES + 1})).all()
    return [_Kind(*row) for row in rows]


async def _of_candidates(
    connection: ReadConnection, statement: Select[Any]
) -> Sequence[Row[Any, Any, Any, Any, int]]:
    """Return the kinds of the first stores of `statement`, each with how many stores those are."""
    kind = (stores.c.schedule_digest, stores.c.client_uuid, stores.c.timezone)
    few = statement.with_only_columns(*kind, stores.c.uuid).limit(MOST_CANDIDATES + 1).subquery("few")
    grouped = (few.c.schedule_digest, few.c.client_uuid, few.c.timezone)
    some = func.array_agg(few.c.uuid, type_=ARRAY(Uuid))[1]
    counted = select(*grouped, some, func.sum(func.count()).over()).group_by(*grouped)
    return (await connection.execute(counted)).all()


async def _own_parts(connection: ReadConnection, kinds: Sequence[_Kind]) -> dict[bytes | None, Parts]:
    """Return what stores have of their own, by its digest."""
    some = {kind.schedule_digest: kind.uuid for kind in kinds if kind.schedule_digest is not None}
    question = select(stores.c.schedule_digest, parts_column(stores.c.uuid))
    rows = await _of_some(connection, question, some.values())
    return {digest: msgspec.json.decode(parts, type=Parts) for digest, parts in rows}


async def _client_parts(connection: ReadConnection, kinds: Sequence[_Kind]) -> dict[UUID, Parts]:
    """Return what is known of clients' schedules."""
    some = {kind.client_uuid: kind.uuid for kind in kinds}
    question = select(stores.c.client_uuid, client_parts_column(stores.c.client_uuid))
    rows = await _of_some(connection, question, some.values())
    return {uuid: client_parts(parts) for uuid, parts in rows}


async def _of_some(
    connection: ReadConnection, question: Select[Any, str], some: Collection[UUID]
) -> Sequence[Row[Any, str]]:
    if not some:
        return ()
    return (await connection.execute(question.where(stores.c.uuid == _any(some, Uuid())))).all()


def _one_of(kinds: Sequence[_Kind]) -> ColumnElement[bool]:
    """Return the condition that a store is of one of these kinds; its first parts are for the index."""
    own = [kind for kind in kinds if kind.schedule_digest is not None]
    none = [kind for kind in kinds if kind.schedule_digest is None]
    return or_(
        and_(
            stores.c.schedule_digest == _any((kind.schedule_digest for kind in own), LargeBinary()),
            tuple_(stores.c.schedule_digest, stores.c.client_uuid, stores.c.timezone).in_(
                _rows(own, "schedule_digest", "client_uuid", "timezone")
            ),
        ),
        and_(
            stores.c.schedule_digest.is_(None),
            stores.c.client_uuid == _any({kind.client_uuid for kind in none}, Uuid()),
            tuple_(stores.c.client_uuid, stores.c.timezone).in_(_rows(none, "client_uuid", "timezone")),
        ),
    )


def _rows(kinds: Sequence[_Kind], *names: str) -> Select[Any]:
    arrays = [_array((getattr(kind, name) for kind in kinds), _TYPES[name]) for name in names]
    rows = func.unnest(*arrays).table_valued(*names).render_derived()
    return select(*rows.c)


_TYPES: dict[str, Any] = {"schedule_digest": LargeBinary(), "client_uuid": Uuid(), "timezone": Text()}


def _any(values: Iterable[object], type_: Any) -> ColumnElement[Any]:  # noqa: ANN401 - a column type
    return any_(_array(values, type_))


def _array(values: Iterable[object], type_: Any) -> ColumnElement[Any]:  # noqa: ANN401 - a column type
    return literal(list(values), ARRAY(type_))
