"""Every statement on what stores keep of their clients' schedules, for reads.

A schedule is kept in the parts that the client service publishes: a week, exceptions, a pause. Copies of a
part are told apart by its own version; one that has ended stays as a row without content, so that nothing
older brings it back.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Label, Text, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert

from services.store.model import client_hours
from services.store.schema import ClientPart
from shared.db import WriteConnection
from shared.schedules.known import PartKind, Parts, assembled


class _Kept(msgspec.Struct):
    kind: PartKind
    shown: msgspec.Raw


def client_parts_column(client_uuid: ColumnElement[UUID]) -> Label[str]:
    """Return a column with what a client has of a schedule, as `client_parts` reads it."""
    kept = func.jsonb_build_object(
        literal_column("'kind'"), client_hours.c.kind, literal_column("'shown'"), client_hours.c.shown
    )
    # The newest last: of two weeks, of which one is about to end, that one holds.
    listed = select(func.jsonb_agg(aggregate_order_by(kept, client_hours.c.uuid)))
    living = client_hours.c.shown.is_not(None)
    parts = listed.where(client_hours.c.client_uuid == client_uuid, living).correlate_except(client_hours)
    return cast(parts.scalar_subquery(), Text).label("client_parts")


def client_parts(column: str | None) -> Parts:
    """Return what `client_parts_column` found."""
    kept = msgspec.json.decode(column or "[]", type=list[_Kept])
    return assembled((each.kind, each.shown) for each in kept)


async def keep_parts(connection: WriteConnection, parts: Sequence[ClientPart]) -> bool:
    """Keep copies of parts unless newer ones are there; tell whether any of them is news."""
    if not parts:
        return False
    rows: list[dict[str, Any]] = [msgspec.structs.asdict(part) for part in parts]
    statement = insert(client_hours).values(rows)
    newer = statement.on_conflict_do_update(
        index_elements=[client_hours.c.uuid],
        set_={"version": statement.excluded.version, "shown": statement.excluded.shown},
        where=client_hours.c.version < statement.excluded.version,
    )
    return (await connection.execute(newer)).rowcount > 0
